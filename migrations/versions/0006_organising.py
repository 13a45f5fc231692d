"""labels, priority, snoozing, mentions, merges, saved filters and the search index"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

SQLITE_INDEX = (
    "CREATE VIRTUAL TABLE search_index USING fts5(terms, content='search_documents', content_rowid='id', "
    "prefix='1 2', tokenize=\"unicode61 remove_diacritics 0 tokenchars '='\")",
    "CREATE TRIGGER search_documents_added AFTER INSERT ON search_documents BEGIN "
    "INSERT INTO search_index(rowid, terms) VALUES (new.id, new.terms); END",
    "CREATE TRIGGER search_documents_deleted AFTER DELETE ON search_documents BEGIN "
    "INSERT INTO search_index(search_index, rowid, terms) VALUES ('delete', old.id, old.terms); END",
    "CREATE TRIGGER search_documents_changed AFTER UPDATE ON search_documents BEGIN "
    "INSERT INTO search_index(search_index, rowid, terms) VALUES ('delete', old.id, old.terms); "
    "INSERT INTO search_index(rowid, terms) VALUES (new.id, new.terms); END",
)


def upgrade() -> None:
    connection = op.get_bind()
    sqlite = connection.dialect.name == 'sqlite'
    moment = sa.DateTime(timezone=True)
    columns = [
        sa.Column('manual_priority', sa.String(length=8), server_default='none', nullable=False),
        sa.Column('label_ids', sa.JSON(none_as_null=True), nullable=True),
        sa.Column('snoozed_until', moment, nullable=True),
        sa.Column('snoozed_by', sa.String(length=64), nullable=True),
        sa.Column('snooze_reason', sa.Text(), nullable=True),
        sa.Column('waiting_since', moment, nullable=True),
        sa.Column('merged_into', sa.String(length=32), nullable=True),
        sa.Column('revision', sa.Integer(), server_default='0', nullable=False),
    ]
    for column in columns:
        op.add_column('conversations', column)
    op.create_index('ix_conversations_snoozed', 'conversations', ['snoozed_until'])
    op.create_index('ix_conversations_merged_into', 'conversations', ['merged_into'])
    op.execute("UPDATE conversations SET waiting_since = queued_at WHERE status = 'queued'")

    op.create_table('labels',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('colour', sa.String(length=16), nullable=False),
    sa.Column('created_by', sa.String(length=64), nullable=False),
    sa.Column('created_at', moment, nullable=False),
    sa.Column('archived_at', moment, nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('key')
    )
    op.create_table('conversation_labels',
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('label_id', sa.String(length=32), nullable=False),
    sa.Column('at', moment, nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id']),
    sa.ForeignKeyConstraint(['label_id'], ['labels.id']),
    sa.PrimaryKeyConstraint('conversation_id', 'label_id')
    )
    op.create_index('ix_conversation_labels_label', 'conversation_labels', ['label_id'])
    op.create_table('staff_notices',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('staff_id', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('by_name', sa.Text(), nullable=True),
    sa.Column('at', moment, nullable=False),
    sa.Column('seen_at', moment, nullable=True),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id']),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_staff_notices_staff', 'staff_notices', ['staff_id', 'kind', 'conversation_id'])
    op.create_index('ix_staff_notices_conversation', 'staff_notices', ['conversation_id'])
    op.create_table('merges',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('source_id', sa.String(length=32), nullable=False),
    sa.Column('target_id', sa.String(length=32), nullable=False),
    sa.Column('by_id', sa.String(length=64), nullable=False),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.Column('at', moment, nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('told_at', moment, nullable=True),
    sa.Column('undone_at', moment, nullable=True),
    sa.ForeignKeyConstraint(['source_id'], ['conversations.id']),
    sa.ForeignKeyConstraint(['target_id'], ['conversations.id']),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_merges_source_id', 'merges', ['source_id'])
    op.create_index('ix_merges_target_id', 'merges', ['target_id'])
    standing = sa.text('undone_at IS NULL')
    op.create_index('uq_merges_standing', 'merges', ['source_id'], unique=True, sqlite_where=standing, postgresql_where=standing)
    op.create_table('saved_filters',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('owner_id', sa.String(length=32), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('shared', sa.Boolean(), nullable=False),
    sa.Column('conditions', sa.JSON(), nullable=False),
    sa.Column('sort', sa.String(length=16), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('created_at', moment, nullable=False),
    sa.Column('updated_at', moment, nullable=False),
    sa.ForeignKeyConstraint(['owner_id'], ['staff.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_saved_filters_owner_id', 'saved_filters', ['owner_id'])
    op.create_table('search_documents',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('message_id', sa.String(length=32), nullable=True),
    sa.Column('conversation_id', sa.String(length=32), nullable=True),
    sa.Column('contact_id', sa.String(length=32), nullable=True),
    sa.Column('terms', sa.Text().with_variant(postgresql.TSVECTOR(), 'postgresql'), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('message_id'),
    sa.UniqueConstraint('contact_id'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_search_documents_conversation_id', 'search_documents', ['conversation_id'])
    if sqlite:
        for statement in SQLITE_INDEX:
            op.execute(statement)
    else:
        op.create_index('ix_search_documents_terms', 'search_documents', ['terms'], postgresql_using='gin', postgresql_with={'fastupdate': 'off'})


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == 'sqlite'
    if sqlite:
        op.execute('DROP TABLE search_index')
    for table in ('search_documents', 'saved_filters', 'merges', 'staff_notices', 'conversation_labels', 'labels'):
        op.drop_table(table)
    op.drop_index('ix_conversations_snoozed', 'conversations')
    op.drop_index('ix_conversations_merged_into', 'conversations')
    with op.batch_alter_table('conversations') as batch:
        for column in ('revision', 'merged_into', 'waiting_since', 'snooze_reason', 'snoozed_by', 'snoozed_until', 'label_ids', 'manual_priority'):
            batch.drop_column(column)
