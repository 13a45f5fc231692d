"""What files are called is sealed as well.

Revision ID: 0037
Revises: 0036
"""

import sqlalchemy as sa
from alembic import op

revision = '0037'
down_revision = '0036'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Kept as JSON until now; what is sealed is no JSON. SQLite keeps any text in it as it is.
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('ALTER TABLE messages ALTER COLUMN attachments TYPE TEXT USING attachments::text')


def downgrade() -> None:
    connection = op.get_bind()
    for column in ('messages.attachments', 'attachments.name'):
        table, name = column.split('.')
        if connection.execute(sa.text(f"SELECT 1 FROM {table} WHERE {name} LIKE 'fd1.%' LIMIT 1")).first() is not None:
            raise RuntimeError('an older version cannot read what is sealed; restore the backup from before the upgrade')
    if connection.dialect.name == 'postgresql':
        op.execute('ALTER TABLE messages ALTER COLUMN attachments TYPE JSON USING attachments::json')
