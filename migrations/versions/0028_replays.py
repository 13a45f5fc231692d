"""Replays of recorded turns on a model, what would have gone otherwise, and how much may get worse.

Revision ID: 0028
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = '0028'
down_revision = '0026'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('replays',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('candidate', sa.String(length=80), nullable=False),
    sa.Column('options', sa.JSON(), nullable=False),
    sa.Column('figures', sa.JSON()),
    sa.Column('digest', sa.String(length=64)),
    sa.Column('sample', sa.Integer(), nullable=False, server_default='0'),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True)),
    sa.Column('by_id', sa.String(length=64), nullable=False),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_replays_candidate', 'replays', ['candidate', 'created_at'])
    op.create_table('replay_changes',
    sa.Column('replay_id', sa.String(length=32), nullable=False),
    sa.Column('turn_id', sa.String(length=32), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('channel', sa.String(length=64), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('kinds', sa.JSON(), nullable=False),
    sa.Column('stops', sa.Boolean(), nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('after', sa.JSON(), nullable=False),
    sa.Column('intent', sa.String(length=80)),
    sa.Column('intent_after', sa.String(length=80)),
    sa.Column('rating', sa.Integer()),
    sa.Column('resolution', sa.String(length=16)),
    sa.Column('handed_off', sa.Boolean(), nullable=False),
    sa.Column('risky', sa.Boolean(), nullable=False),
    sa.Column('rank', sa.Integer(), nullable=False),
    sa.Column('verdict', sa.String(length=8)),
    sa.Column('judged_at', sa.DateTime(timezone=True)),
    sa.Column('judged_by', sa.String(length=64)),
    sa.Column('judged_name', sa.Text()),
    sa.Column('held_by', sa.String(length=64)),
    sa.Column('held_until', sa.DateTime(timezone=True)),
    sa.ForeignKeyConstraint(['replay_id'], ['replays.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('replay_id', 'turn_id')
    )
    op.create_index('ix_replay_changes_conversation_id', 'replay_changes', ['conversation_id'])
    op.create_index('ix_replay_changes_rank', 'replay_changes', ['replay_id', 'rank'])
    op.create_table('replay_budget',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('worse_percent', sa.Float(), nullable=False),
    sa.Column('least_judged', sa.Integer(), nullable=False),
    sa.Column('least_turns', sa.Integer(), nullable=False),
    sa.Column('most_days', sa.Integer(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_id', sa.String(length=64), nullable=False),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )


def downgrade() -> None:
    for table in ('replay_budget', 'replay_changes', 'replays'):
        op.drop_table(table)
