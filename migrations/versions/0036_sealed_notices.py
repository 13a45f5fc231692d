"""What the desk tells unasked is sealed as well; an erasure finds those who were only named by marks.

Revision ID: 0036
Revises: 0035
"""

import sqlalchemy as sa
from alembic import op

revision = '0036'
down_revision = '0035'
branch_labels = None
depends_on = None

#: Kept as JSON until now; what is sealed is no JSON. SQLite keeps any text in them as it is.
NO_JSON = ('recipient', 'facts', 'tried')
NAMED = ('named_contact', 'named_address_mark', 'named_email_mark')


def upgrade() -> None:
    postgresql = op.get_bind().dialect.name == 'postgresql'
    for name in NAMED:
        op.add_column('proactive_messages', sa.Column(name, sa.String(length=32)))
        op.create_index(f'ix_proactive_messages_{name}', 'proactive_messages', [name])
    named = "recipient->>'contact_id'" if postgresql else "json_extract(recipient, '$.contact_id')"
    op.execute(f'UPDATE proactive_messages SET named_contact = {named} WHERE recipient IS NOT NULL')
    if postgresql:
        for column in NO_JSON:
            op.execute(f'ALTER TABLE proactive_messages ALTER COLUMN {column} TYPE TEXT USING {column}::text')


def downgrade() -> None:
    connection = op.get_bind()
    sealed = sa.text("SELECT 1 FROM proactive_messages WHERE recipient LIKE 'fd1.%' OR facts LIKE 'fd1.%' LIMIT 1")
    if connection.execute(sealed).first() is not None:
        raise RuntimeError('an older version cannot read what is sealed; restore the backup from before the upgrade')
    if connection.dialect.name == 'postgresql':
        for column in NO_JSON:
            op.execute(f'ALTER TABLE proactive_messages ALTER COLUMN {column} TYPE JSON USING {column}::json')
    for name in NAMED:
        op.drop_index(f'ix_proactive_messages_{name}', 'proactive_messages')
        op.drop_column('proactive_messages', name)
