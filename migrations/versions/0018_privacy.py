"""Erased contacts: what has to go where, and the receipt; conversations whose words were forgotten for their age.

Revision ID: 0018
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('erasures',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('contact_id', sa.String(length=32)),
    sa.Column('by', sa.String(length=80), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('contacts', sa.JSON(), nullable=False),
    sa.Column('conversations', sa.JSON(), nullable=False),
    sa.Column('files', sa.JSON(), nullable=False),
    sa.Column('messages', sa.Integer(), nullable=False),
    sa.Column('trackers', sa.Integer(), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True)),
    sa.Column('receipt', sa.JSON(none_as_null=True)),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_erasures_contact_id', 'erasures', ['contact_id'])
    op.create_index(
        'ix_erasures_unfinished', 'erasures', ['asked_at'],
        sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'),
    )
    op.add_column('conversations', sa.Column('forgotten_at', sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column('conversations', 'forgotten_at')
    op.drop_index('ix_erasures_unfinished', 'erasures')
    op.drop_index('ix_erasures_contact_id', 'erasures')
    op.drop_table('erasures')
