"""Reviews: scorecards, samples, disputes.

Revision ID: 0032
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = '0032'
down_revision = '0031'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('review_cards',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('form', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_id', sa.String(length=64), nullable=False),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', 'version')
    )
    op.create_table('review_samples',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('subject', sa.String(length=8), nullable=False),
    sa.Column('card_id', sa.String(length=32), nullable=False),
    sa.Column('card_version', sa.Integer(), nullable=False),
    sa.Column('drawn', sa.JSON(), nullable=False),
    sa.Column('drawn_of', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_id', sa.String(length=64), nullable=False),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('reviews',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('sample_id', sa.String(length=32), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('contact_id', sa.String(length=32), nullable=False),
    sa.Column('subject', sa.String(length=8), nullable=False),
    sa.Column('reviewer_id', sa.String(length=64), nullable=False),
    sa.Column('reviewer_name', sa.Text(), nullable=False),
    sa.Column('card_id', sa.String(length=32), nullable=False),
    sa.Column('card_version', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('agent_id', sa.String(length=64)),
    sa.Column('agent_name', sa.Text()),
    sa.Column('team_id', sa.String(length=32)),
    sa.Column('people', sa.JSON(), nullable=False),
    sa.Column('calibrates', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('answers', sa.JSON(), nullable=False),
    sa.Column('said', sa.Text()),
    sa.Column('score', sa.Float()),
    sa.Column('passed', sa.Boolean()),
    sa.Column('failed_by', sa.JSON(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('submitted_at', sa.DateTime(timezone=True)),
    sa.Column('dispute', sa.Text(), nullable=False),
    sa.Column('disputed_at', sa.DateTime(timezone=True)),
    sa.Column('decision', sa.Text(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True)),
    sa.Column('decided_by_id', sa.String(length=64)),
    sa.Column('decided_by_name', sa.Text()),
    sa.Column('answers_before', sa.JSON()),
    sa.Column('score_before', sa.Float()),
    sa.ForeignKeyConstraint(['sample_id'], ['review_samples.id']),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('sample_id', 'conversation_id', 'reviewer_id')
    )
    op.create_index('ix_reviews_conversation_id', 'reviews', ['conversation_id'])
    op.create_index('ix_reviews_contact_id', 'reviews', ['contact_id'])
    op.create_index('ix_reviews_reviewer', 'reviews', ['reviewer_id', 'state'])
    op.create_index('ix_reviews_agent', 'reviews', ['agent_id', 'state'])
    op.create_index('ix_reviews_submitted', 'reviews', ['submitted_at'])


def downgrade() -> None:
    for name in ('reviews', 'review_samples', 'review_cards'):
        op.drop_table(name)
