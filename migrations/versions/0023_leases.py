"""One table of leases; which process works on a conversation.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.rename_table('connection_leases', 'leases')
    # Whoever works goes on under the same name; a process of the former version cannot prolong it any more.
    op.execute("INSERT INTO leases (name, owner, fence, beat) SELECT name, holder, 1, 0 FROM work_leases")
    op.drop_table('work_leases')
    op.add_column('conversations', sa.Column('claimed_by', sa.String(length=32)))


def downgrade() -> None:
    op.drop_column('conversations', 'claimed_by')
    op.create_table('work_leases',
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('holder', sa.String(length=32), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.execute(
        "INSERT INTO work_leases (name, holder, until) SELECT name, owner, CURRENT_TIMESTAMP FROM leases"
        " WHERE owner IS NOT NULL AND name NOT LIKE '%/%'"
    )
    op.execute("DELETE FROM leases WHERE name NOT LIKE '%/%' OR name LIKE 'process/%'")
    op.rename_table('leases', 'connection_leases')
