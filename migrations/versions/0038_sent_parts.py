"""Which parts of a message went out is kept with its delivery.

Revision ID: 0038
Revises: 0037
"""

import sqlalchemy as sa
from alembic import op

revision = '0038'
down_revision = '0037'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('outbox') as table:
        table.add_column(sa.Column('sent_parts', sa.JSON(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('outbox') as table:
        table.drop_column('sent_parts')
