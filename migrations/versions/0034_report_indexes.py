"""Indexes along which the figures of turns are counted; turns that somebody judged have their own.

Revision ID: 0034
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index('ix_fact_turns_intent', 'fact_turns')
    op.create_index('ix_fact_turns_intent', 'fact_turns', ['day', 'intent', 'missed', 'knowledge', 'latency_ms'])
    op.drop_index('ix_fact_turns_model', 'fact_turns')
    op.create_index('ix_fact_turns_model', 'fact_turns', ['day', 'model', 'missed', 'latency_ms'])
    op.create_index('ix_fact_turns_judged', 'fact_turns', ['day', 'intent', 'model', 'correct', 'confidence'],
    sqlite_where=sa.text('correct IS NOT NULL'),
    postgresql_where=sa.text('correct IS NOT NULL'),
    )


def downgrade() -> None:
    op.drop_index('ix_fact_turns_judged', 'fact_turns')
    op.drop_index('ix_fact_turns_model', 'fact_turns')
    op.create_index('ix_fact_turns_model', 'fact_turns', ['day', 'model', 'missed', 'correct'])
    op.drop_index('ix_fact_turns_intent', 'fact_turns')
    op.create_index('ix_fact_turns_intent', 'fact_turns', ['day', 'intent', 'missed', 'knowledge'])
