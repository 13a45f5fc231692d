"""Thresholds from outcomes: what each turn showed, the versions that were applied, what labelled lines showed.

Revision ID: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('limit_cases',
    sa.Column('message_id', sa.String(length=32), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('model_id', sa.String(length=80)),
    sa.Column('top', sa.String(length=80)),
    sa.Column('score', sa.Float()),
    sa.Column('retrieval', sa.Float()),
    sa.Column('band', sa.SmallInteger()),
    sa.Column('done', sa.SmallInteger(), nullable=False),
    sa.Column('act_wrong', sa.Boolean()),
    sa.Column('answer_wrong', sa.Boolean()),
    sa.Column('helped', sa.Boolean()),
    sa.Column('evidence', sa.String(length=16)),
    sa.Column('answer_limit', sa.Float()),
    sa.Column('clarify_limit', sa.Float()),
    sa.Column('retrieval_limit', sa.Float()),
    sa.PrimaryKeyConstraint('message_id')
    )
    op.create_index('ix_limit_cases_conversation_id', 'limit_cases', ['conversation_id'])
    op.create_index('ix_limit_cases_at', 'limit_cases', ['language', 'at'])
    op.create_table('limit_versions',
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_id', sa.String(length=64), nullable=False),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('limits', sa.JSON(), nullable=False),
    sa.Column('restores', sa.Integer()),
    sa.Column('basis', sa.JSON()),
    sa.PrimaryKeyConstraint('version')
    )
    op.create_table('limit_checks',
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('model_id', sa.String(length=80), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.Column('scored', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('language')
    )


def downgrade() -> None:
    for name in ('limit_checks', 'limit_versions', 'limit_cases'):
        op.drop_table(name)
