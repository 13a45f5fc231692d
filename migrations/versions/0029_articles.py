"""Articles that are edited in the desk, with their versions, and what was decided about drafted answers to gaps.

Revision ID: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('kb_articles',
    sa.Column('id', sa.String(length=80), nullable=False),
    sa.Column('language', sa.String(length=4), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('live', sa.Integer()),
    sa.Column('archived', sa.Boolean(), nullable=False),
    sa.Column('origin', sa.String(length=16), nullable=False),
    sa.Column('source', sa.Text(), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.String(length=120), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_by', sa.String(length=120), nullable=False),
    sa.Column('reviewed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True)),
    sa.PrimaryKeyConstraint('id', 'language')
    )
    op.create_table('kb_article_versions',
    sa.Column('id', sa.String(length=80), nullable=False),
    sa.Column('language', sa.String(length=4), nullable=False),
    sa.Column('revision', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('hash', sa.String(length=16), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('restores', sa.Integer()),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_id', sa.String(length=64), nullable=False),
    sa.Column('by_name', sa.String(length=120), nullable=False),
    sa.PrimaryKeyConstraint('id', 'language', 'revision')
    )
    op.create_index('ix_kb_article_versions_at', 'kb_article_versions', ['at'])
    op.create_table('kb_library_revision',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('kb_agreements',
    sa.Column('pair', sa.String(length=32), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_name', sa.String(length=120), nullable=False),
    sa.PrimaryKeyConstraint('pair')
    )
    op.create_table('gap_decisions',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('group_id', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('article_id', sa.String(length=80)),
    sa.Column('language', sa.String(length=4)),
    sa.Column('contacts', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_id', sa.String(length=64), nullable=False),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_gap_decisions_group_id', 'gap_decisions', ['group_id'])


def downgrade() -> None:
    for table in ('gap_decisions', 'kb_agreements', 'kb_library_revision', 'kb_article_versions', 'kb_articles'):
        op.drop_table(table)
