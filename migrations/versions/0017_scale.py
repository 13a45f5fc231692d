"""Leases, how far events were exported, and digests in the index of each process.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('work_leases',
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('holder', sa.String(length=32), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('export_positions',
    sa.Column('target', sa.String(length=200), nullable=False),
    sa.Column('n', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('target')
    )
    # Digests are made again from the conversations: the version of their form changed with this table.
    op.drop_table('assist_digests')
    op.create_table('assist_digests',
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('form', sa.String(length=80), nullable=False),
    sa.Column('contact_id', sa.String(length=32), nullable=False),
    sa.Column('erased', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('intent', sa.String(length=64), nullable=True),
    sa.Column('indexed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('conversation_id', 'form')
    )
    op.create_index('ix_assist_digests_contact_id', 'assist_digests', ['contact_id'])
    op.create_index('ix_assist_digests_form', 'assist_digests', ['form'])


def downgrade() -> None:
    op.drop_table('assist_digests')
    op.create_table('assist_digests',
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('contact_id', sa.String(length=32), nullable=False),
    sa.Column('form', sa.String(length=80), nullable=False),
    sa.Column('intent', sa.String(length=64), nullable=True),
    sa.Column('indexed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('conversation_id')
    )
    op.create_index('ix_assist_digests_contact_id', 'assist_digests', ['contact_id'])
    op.create_index('ix_assist_digests_form', 'assist_digests', ['form'])
    op.drop_table('export_positions')
    op.drop_table('work_leases')
