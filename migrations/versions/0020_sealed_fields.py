"""Contacts' keys seal fields as well as audit entries: versions, names of wrapping keys, marks to find values by.

Revision ID: 0020
Revises: 0019
"""

import base64

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

#: Kept as JSON until now; what is sealed is no JSON. SQLite keeps any text in them as it is.
NO_JSON = (
    ('conversations', 'handoff_summary'), ('conversations', 'told'), ('turns', 'trace'),
    ('contact_merges', 'moved'), ('contact_merges', 'before'), ('contact_merges', 'after'),
)

#: A sealed address is longer than the address. With the length that was enough until now.
ADDRESSES = (
    ('addresses', 'contact', 512), ('addresses', 'home_contact', 512), ('conversations', 'contact', 512),
    ('outbox', 'contact', 512), ('proofs', 'contact', 512), ('link_codes', 'contact', 512),
    ('link_tries', 'contact', 512), ('link_refusals', 'one', 720), ('link_refusals', 'other', 720),
    ('used_signatures', 'visitor', 512),
)
INDEX = (
    "CREATE VIRTUAL TABLE search_index USING fts5(terms, content='search_documents', content_rowid='id', tokenize='ascii')",
    "CREATE TRIGGER search_documents_added AFTER INSERT ON search_documents BEGIN "
    "INSERT INTO search_index(rowid, terms) VALUES (new.id, new.terms); END",
    "CREATE TRIGGER search_documents_deleted AFTER DELETE ON search_documents BEGIN "
    "INSERT INTO search_index(search_index, rowid, terms) VALUES ('delete', old.id, old.terms); END",
    "CREATE TRIGGER search_documents_changed AFTER UPDATE ON search_documents BEGIN "
    "INSERT INTO search_index(search_index, rowid, terms) VALUES ('delete', old.id, old.terms); "
    "INSERT INTO search_index(rowid, terms) VALUES (new.id, new.terms); END",
)


def empty_search_index() -> None:
    """Take the words out; the running desk fills it again, newest first."""
    sqlite = op.get_bind().dialect.name == 'sqlite'
    if sqlite:
        for name in ('added', 'deleted', 'changed'):
            op.execute(f'DROP TRIGGER search_documents_{name}')
        op.execute('DROP TABLE search_index')
    op.execute("DELETE FROM search_documents WHERE kind <> 'contact'")
    op.execute("UPDATE search_documents SET terms = ''")
    for statement in INDEX if sqlite else ():
        op.execute(statement)
    if sqlite:
        op.execute("INSERT INTO search_index(search_index) VALUES ('rebuild')")


def upgrade() -> None:
    op.create_table('contact_keys',
    sa.Column('contact_id', sa.String(length=32), nullable=False),
    sa.Column('wrapped', sa.Text(), nullable=False),
    sa.Column('wrapped_by', sa.String(length=16), nullable=False),
    sa.Column('made_in', sa.String(length=32)),
    sa.PrimaryKeyConstraint('contact_id')
    )
    op.create_index('ix_contact_keys_wrapped_by', 'contact_keys', ['wrapped_by'])
    op.create_table('key_rotations',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('begun_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True)),
    sa.PrimaryKeyConstraint('id')
    )
    empty_search_index()
    connection = op.get_bind()
    found = connection.execute(sa.text('SELECT contact_id, wrapped FROM audit_keys'))
    while rows := found.fetchmany(1000):
        connection.execute(
            sa.text("INSERT INTO contact_keys (contact_id, wrapped, wrapped_by) VALUES (:contact_id, :wrapped, '')"),
            [{'contact_id': row[0], 'wrapped': '1::' + base64.b64encode(row[1]).decode()} for row in rows],
        )
    op.drop_table('audit_keys')
    op.add_column('contacts', sa.Column('name_mark', sa.String(length=32)))
    op.create_index('ix_contacts_name_mark', 'contacts', ['name_mark'])
    op.add_column('conversations', sa.Column('contact_point_mark', sa.String(length=32)))
    op.create_index('ix_conversations_contact_point_mark', 'conversations', ['contact_point_mark'])
    op.add_column('addresses', sa.Column('point_mark', sa.String(length=32)))
    op.create_index('ix_addresses_point_mark', 'addresses', ['point_mark'])
    if connection.dialect.name == 'postgresql':
        for table, column in NO_JSON:
            op.execute(f'ALTER TABLE {table} ALTER COLUMN {column} TYPE TEXT USING {column}::text')
        for table, column, _ in ADDRESSES:
            op.execute(f'ALTER TABLE {table} ALTER COLUMN {column} TYPE VARCHAR')


def downgrade() -> None:
    connection = op.get_bind()
    if connection.execute(sa.text("SELECT 1 FROM contact_keys WHERE wrapped_by <> '' LIMIT 1")).first() is not None:
        raise RuntimeError('an older version cannot read what is sealed; restore the backup from before the upgrade')
    if connection.dialect.name == 'postgresql':
        for table, column in NO_JSON:
            op.execute(f'ALTER TABLE {table} ALTER COLUMN {column} TYPE JSON USING {column}::json')
        for table, column, length in ADDRESSES:
            op.execute(f'ALTER TABLE {table} ALTER COLUMN {column} TYPE VARCHAR({length})')
    op.drop_index('ix_addresses_point_mark', 'addresses')
    op.drop_column('addresses', 'point_mark')
    op.drop_index('ix_conversations_contact_point_mark', 'conversations')
    op.drop_column('conversations', 'contact_point_mark')
    op.drop_index('ix_contacts_name_mark', 'contacts')
    op.drop_column('contacts', 'name_mark')
    op.create_table('audit_keys',
    sa.Column('contact_id', sa.String(length=32), nullable=False),
    sa.Column('wrapped', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('contact_id')
    )
    found = connection.execute(sa.text('SELECT contact_id, wrapped FROM contact_keys'))
    while rows := found.fetchmany(1000):
        connection.execute(
            sa.text('INSERT INTO audit_keys (contact_id, wrapped) VALUES (:contact_id, :wrapped)'),
            [{'contact_id': row[0], 'wrapped': base64.b64decode(row[1].partition('::')[2])} for row in rows],
        )
    op.drop_table('key_rotations')
    op.drop_index('ix_contact_keys_wrapped_by', 'contact_keys')
    op.drop_table('contact_keys')
