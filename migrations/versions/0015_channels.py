"""How channel accounts are doing, and an index of what was given up.

Revision ID: 0015
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0013'
branch_labels = None
depends_on = None

GIVEN_UP = "state IN ('dead', 'unknown')"


def upgrade() -> None:
    op.create_table('channel_health',
    sa.Column('channel', sa.String(length=64), nullable=False),
    sa.Column('account', sa.String(length=128), nullable=False),
    sa.Column('process', sa.String(length=32), nullable=False),
    sa.Column('connection', sa.String(length=16)),
    sa.Column('received_at', sa.DateTime(timezone=True)),
    sa.Column('sent_at', sa.DateTime(timezone=True)),
    sa.Column('fine_at', sa.DateTime(timezone=True)),
    sa.Column('error_code', sa.String(length=64)),
    sa.Column('error', sa.Text()),
    sa.Column('error_at', sa.DateTime(timezone=True)),
    sa.Column('refusal', sa.Text()),
    sa.Column('refused_at', sa.DateTime(timezone=True)),
    sa.Column('errors', sa.JSON(), nullable=False),
    sa.Column('refusals', sa.JSON(), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('channel', 'account', 'process')
    )
    op.create_index('ix_channel_health_seen_at', 'channel_health', ['seen_at'])
    op.create_index('ix_outbox_given_up', 'outbox', ['ordinal'], sqlite_where=sa.text(GIVEN_UP), postgresql_where=sa.text(GIVEN_UP))


def downgrade() -> None:
    op.drop_index('ix_outbox_given_up', 'outbox')
    op.drop_index('ix_channel_health_seen_at', 'channel_health')
    op.drop_table('channel_health')
