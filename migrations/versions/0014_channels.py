"""Who holds a connection that may be open only once, and how far messages came to the contact.

Revision ID: 0014
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('connection_leases',
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('owner', sa.String(length=64)),
    sa.Column('fence', sa.BigInteger(), nullable=False),
    sa.Column('beat', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.add_column('conversations', sa.Column('contact_received_seq', sa.Integer(), server_default='0', nullable=False))


def downgrade() -> None:
    op.drop_column('conversations', 'contact_received_seq')
    op.drop_table('connection_leases')
