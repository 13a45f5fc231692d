"""Facts of the reports, what a conversation costs, and until when a contact who waits was to be answered.

Revision ID: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('fact_conversations',
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('opened_day', sa.Integer(), nullable=False),
    sa.Column('opened_hour', sa.SmallInteger(), nullable=False),
    sa.Column('resolved_at', sa.DateTime(timezone=True)),
    sa.Column('resolved_day', sa.Integer()),
    sa.Column('resolved_hour', sa.SmallInteger()),
    sa.Column('channel', sa.String(length=64), nullable=False),
    sa.Column('team', sa.String(length=32), nullable=False),
    sa.Column('agent', sa.String(length=64), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('intent', sa.String(length=80), nullable=False),
    sa.Column('model', sa.String(length=80), nullable=False),
    sa.Column('reason', sa.String(length=32), nullable=False),
    sa.Column('bot_answered', sa.Boolean(), nullable=False),
    sa.Column('agent_wrote', sa.Boolean(), nullable=False),
    sa.Column('handed_off', sa.Boolean(), nullable=False),
    sa.Column('held', sa.Boolean(), nullable=False),
    sa.Column('resolution', sa.String(length=8), nullable=False),
    sa.Column('response_seconds', sa.Integer()),
    sa.Column('again', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('conversation_id')
    )
    op.create_index('ix_fact_conversations_opened', 'fact_conversations', ['opened_day'])
    op.create_index('ix_fact_conversations_resolved', 'fact_conversations', ['resolved_day'])
    op.create_table('fact_messages',
    sa.Column('day', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('hour', sa.SmallInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('message_id', sa.String(length=32), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('channel', sa.String(length=64), nullable=False),
    sa.Column('team', sa.String(length=32), nullable=False),
    sa.Column('agent', sa.String(length=64), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('intent', sa.String(length=80), nullable=False),
    sa.Column('model', sa.String(length=80), nullable=False),
    sa.Column('author', sa.String(length=8), nullable=False),
    sa.PrimaryKeyConstraint('day', 'message_id'),
    sqlite_with_rowid=False,
    )
    op.create_index('ix_fact_messages_channel', 'fact_messages', ['day', 'channel'])
    op.create_index('ix_fact_messages_conversation_id', 'fact_messages', ['conversation_id'])
    op.create_index('ix_fact_messages_hour', 'fact_messages', ['day', 'hour'])
    op.create_table('fact_turns',
    sa.Column('day', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('hour', sa.SmallInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('turn_id', sa.String(length=32), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('channel', sa.String(length=64), nullable=False),
    sa.Column('team', sa.String(length=32), nullable=False),
    sa.Column('agent', sa.String(length=64), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('intent', sa.String(length=80), nullable=False),
    sa.Column('model', sa.String(length=80), nullable=False),
    sa.Column('missed', sa.Boolean(), nullable=False),
    sa.Column('knowledge', sa.String(length=8), nullable=False),
    sa.Column('latency_ms', sa.Integer(), nullable=False),
    sa.Column('confidence', sa.Float()),
    sa.Column('correct', sa.Boolean()),
    sa.PrimaryKeyConstraint('day', 'turn_id'),
    sqlite_with_rowid=False,
    )
    op.create_index('ix_fact_turns_conversation_id', 'fact_turns', ['conversation_id'])
    op.create_index('ix_fact_turns_hour', 'fact_turns', ['day', 'hour', 'missed', 'latency_ms'])
    op.create_index('ix_fact_turns_intent', 'fact_turns', ['day', 'intent', 'missed', 'knowledge'])
    op.create_index('ix_fact_turns_model', 'fact_turns', ['day', 'model', 'missed', 'correct'])
    op.create_table('fact_citations',
    sa.Column('day', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('hour', sa.SmallInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('turn_id', sa.String(length=32), nullable=False),
    sa.Column('article', sa.String(length=64), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('channel', sa.String(length=64), nullable=False),
    sa.Column('team', sa.String(length=32), nullable=False),
    sa.Column('agent', sa.String(length=64), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('intent', sa.String(length=80), nullable=False),
    sa.Column('model', sa.String(length=80), nullable=False),
    sa.Column('disliked', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('day', 'turn_id', 'article'),
    sqlite_with_rowid=False,
    )
    op.create_index('ix_fact_citations_conversation_id', 'fact_citations', ['conversation_id'])
    op.create_table('fact_episodes',
    sa.Column('day', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('hour', sa.SmallInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('episode_id', sa.String(length=32), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('channel', sa.String(length=64), nullable=False),
    sa.Column('team', sa.String(length=32), nullable=False),
    sa.Column('agent', sa.String(length=64), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('intent', sa.String(length=80), nullable=False),
    sa.Column('model', sa.String(length=80), nullable=False),
    sa.Column('served', sa.String(length=8), nullable=False),
    sa.Column('asked', sa.Boolean(), nullable=False),
    sa.Column('answered', sa.Boolean(), nullable=False),
    sa.Column('score', sa.SmallInteger()),
    sa.Column('nps', sa.SmallInteger()),
    sa.Column('seconds', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('day', 'episode_id'),
    sqlite_with_rowid=False,
    )
    op.create_index('ix_fact_episodes_conversation_id', 'fact_episodes', ['conversation_id'])
    op.create_table('fact_waits',
    sa.Column('day', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('hour', sa.SmallInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('wait_id', sa.String(length=32), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('channel', sa.String(length=64), nullable=False),
    sa.Column('team', sa.String(length=32), nullable=False),
    sa.Column('agent', sa.String(length=64), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('intent', sa.String(length=80), nullable=False),
    sa.Column('model', sa.String(length=80), nullable=False),
    sa.Column('reason', sa.String(length=32), nullable=False),
    sa.Column('by_bot', sa.Boolean(), nullable=False),
    sa.Column('waited_seconds', sa.Integer()),
    sa.Column('error_seconds', sa.Integer()),
    sa.Column('in_time', sa.Boolean()),
    sa.Column('due_at', sa.DateTime(timezone=True)),
    sa.PrimaryKeyConstraint('day', 'wait_id'),
    sqlite_with_rowid=False,
    )
    op.create_index('ix_fact_waits_conversation_id', 'fact_waits', ['conversation_id'])
    op.create_table('report_positions',
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('n', sa.BigInteger(), nullable=False),
    sa.Column('zone', sa.String(length=64), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('report_costs',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('human_per_conversation', sa.Float(), nullable=False),
    sa.Column('bot_per_conversation', sa.Float(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_by', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.add_column('queue_stays', sa.Column('due_at', sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column('queue_stays', 'due_at')
    for name in (
        'report_costs',
        'report_positions',
        'fact_waits',
        'fact_episodes',
        'fact_citations',
        'fact_turns',
        'fact_messages',
        'fact_conversations',
    ):
        op.drop_table(name)
