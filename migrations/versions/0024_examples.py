"""The history of the bot's examples.

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('example_edits',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_id', sa.String(length=64), nullable=False),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('changes', sa.JSON(), nullable=False),
    sa.Column('intents', sa.Text(), nullable=False),
    sa.Column('undoes', sa.String(length=32)),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('files', sa.LargeBinary()),
    sa.PrimaryKeyConstraint('seq'),
    sa.UniqueConstraint('id')
    )
    op.create_index('ix_example_edits_state', 'example_edits', ['state'])
    op.create_index('ix_example_edits_at', 'example_edits', ['at'])
    op.create_index(op.f('ix_example_edits_undoes'), 'example_edits', ['undoes'])


def downgrade() -> None:
    op.drop_table('example_edits')
