"""Addresses of one contact that are linked by a code.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, size in (('home_channel', 64), ('home_account', 128), ('home_contact', 512)):
        op.add_column('addresses', sa.Column(name, sa.String(length=size)))
    op.add_column('conversations', sa.Column('reply_to', sa.Text()))
    op.create_table('link_codes',
    sa.Column('code_hash', sa.String(length=64), nullable=False),
    sa.Column('channel', sa.String(length=64), nullable=False),
    sa.Column('account', sa.String(length=128), nullable=False),
    sa.Column('contact', sa.String(length=512), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('code_hash')
    )
    op.create_table('link_tries',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('channel', sa.String(length=64), nullable=False),
    sa.Column('account', sa.String(length=128), nullable=False),
    sa.Column('contact', sa.String(length=512), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_link_tries_at', 'link_tries', ['at'])


def downgrade() -> None:
    op.drop_index('ix_link_tries_at', 'link_tries')
    op.drop_table('link_tries')
    op.drop_table('link_codes')
    op.drop_column('conversations', 'reply_to')
    for name in ('home_contact', 'home_account', 'home_channel'):
        op.drop_column('addresses', name)
