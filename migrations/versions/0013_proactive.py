"""Messages that nobody asked for, and who does not want them.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

# Whoever wrote before is not taken for a stranger: the windows of channels count from the last message.
WROTE_AT = """
UPDATE addresses SET wrote_at = (
  SELECT MAX(i.received_at) FROM inbox i JOIN conversations c ON c.id = i.conversation_id
  WHERE i.channel = addresses.channel AND i.account = addresses.account
    AND c.channel = COALESCE(addresses.home_channel, addresses.channel)
    AND c.account = COALESCE(addresses.home_account, addresses.account)
    AND c.contact = COALESCE(addresses.home_contact, addresses.contact))
"""


def upgrade() -> None:
    op.add_column('addresses', sa.Column('wrote_at', sa.DateTime(timezone=True)))
    op.add_column('addresses', sa.Column('unreachable_at', sa.DateTime(timezone=True)))
    op.execute(WROTE_AT)
    op.add_column('conversations', sa.Column('told', sa.JSON()))
    op.create_table('proactive_messages',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('owner', sa.String(length=64), nullable=False),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('request_hash', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('recipient', sa.JSON(), nullable=True),
    sa.Column('facts', sa.JSON(), nullable=True),
    sa.Column('tried', sa.JSON(), nullable=True),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('reason', sa.String(length=40), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('contact_id', sa.String(length=32), nullable=True),
    sa.Column('channel', sa.String(length=64), nullable=True),
    sa.Column('account', sa.String(length=128), nullable=True),
    sa.Column('how', sa.String(length=12), nullable=True),
    sa.Column('conversation_id', sa.String(length=32), nullable=True),
    sa.Column('seq', sa.Integer(), nullable=True),
    sa.Column('begun_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('owner', 'key')
    )
    op.create_index('ix_proactive_messages_contact_id', 'proactive_messages', ['contact_id'])
    op.create_index('ix_proactive_messages_place', 'proactive_messages', ['conversation_id', 'seq'])
    still_open = sa.text("state IN ('waiting', 'sending')")
    op.create_index('ix_proactive_messages_open', 'proactive_messages', ['due_at'], sqlite_where=still_open, postgresql_where=still_open)
    op.create_index('ix_proactive_messages_settled', 'proactive_messages', ['settled_at'])
    op.create_table('proactive_choices',
    sa.Column('contact_id', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('off_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('off_by', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('contact_id', 'kind')
    )


def downgrade() -> None:
    op.drop_table('proactive_choices')
    op.drop_table('proactive_messages')
    op.drop_column('conversations', 'told')
    op.drop_column('addresses', 'unreachable_at')
    op.drop_column('addresses', 'wrote_at')
