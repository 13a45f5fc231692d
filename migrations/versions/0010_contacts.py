"""contacts: edited by agents, linked to customers, merged; tickets with a history"""

from alembic import op
import sqlalchemy as sa


revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No batch: it would make the tables anew, which SQLite refuses while rows of others refer to theirs.
    op.add_column('contacts', sa.Column('named_by', sa.String(length=64), nullable=True))
    op.add_column('contacts', sa.Column('tier', sa.String(length=16), nullable=True))
    op.add_column('contacts', sa.Column('note', sa.Text(), nullable=True))
    op.add_column('contacts', sa.Column('linked_customer_id', sa.Text(), nullable=True))
    op.add_column('contacts', sa.Column('linked_by', sa.Text(), nullable=True))
    op.add_column('contacts', sa.Column('linked_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('contacts', sa.Column('merged_into', sa.String(length=32), nullable=True))
    op.add_column('contacts', sa.Column('shared', sa.Boolean(), server_default='0', nullable=False))
    op.add_column('contacts', sa.Column('revision', sa.Integer(), server_default='0', nullable=False))
    op.create_index('ix_contacts_merged_into', 'contacts', ['merged_into'])
    op.create_index('ix_contacts_customer_id', 'contacts', ['customer_id'])
    op.create_index('ix_contacts_linked_customer_id', 'contacts', ['linked_customer_id'])
    op.add_column('addresses', sa.Column('customer_id', sa.Text(), nullable=True))
    op.add_column('addresses', sa.Column('origin_id', sa.String(length=32), nullable=True))
    op.add_column('conversations', sa.Column('origin_id', sa.String(length=32), nullable=True))
    op.create_table('contact_merges',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('source_id', sa.String(length=32), nullable=False),
    sa.Column('target_id', sa.String(length=32), nullable=False),
    sa.Column('by_id', sa.String(length=64), nullable=False),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('moved', sa.JSON(), nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('after', sa.JSON(), nullable=False),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['source_id'], ['contacts.id'], ),
    sa.ForeignKeyConstraint(['target_id'], ['contacts.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_contact_merges_source_id', 'contact_merges', ['source_id'])
    op.create_index('ix_contact_merges_target_id', 'contact_merges', ['target_id'])
    op.create_index(
        'uq_contact_merges_standing', 'contact_merges', ['source_id'], unique=True,
        sqlite_where=sa.text('undone_at IS NULL'), postgresql_where=sa.text('undone_at IS NULL'),
    )
    op.create_table('contact_tickets',
    sa.Column('number', sa.String(length=32), nullable=False),
    sa.Column('contact_id', sa.String(length=32), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], ),
    sa.PrimaryKeyConstraint('number')
    )
    op.create_index('ix_contact_tickets_contact_id', 'contact_tickets', ['contact_id'])
    for name in ('crm_customers', 'crm_tickets'):
        op.add_column(name, sa.Column('revision', sa.Integer(), server_default='0', nullable=False))
    op.create_table('crm_ticket_events',
    sa.Column('ticket_number', sa.String(length=16), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('author', sa.String(length=120), nullable=False),
    sa.Column('field', sa.String(length=12), nullable=False),
    sa.Column('old', sa.String(length=12), nullable=False),
    sa.Column('new', sa.String(length=12), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['ticket_number'], ['crm_tickets.number'], ),
    sa.PrimaryKeyConstraint('ticket_number', 'position')
    )


def downgrade() -> None:
    op.drop_table('crm_ticket_events')
    for name in ('crm_tickets', 'crm_customers'):
        op.drop_column(name, 'revision')
    op.drop_table('contact_tickets')
    op.drop_table('contact_merges')
    op.drop_column('conversations', 'origin_id')
    op.drop_column('addresses', 'origin_id')
    op.drop_column('addresses', 'customer_id')
    for name in ('ix_contacts_linked_customer_id', 'ix_contacts_customer_id', 'ix_contacts_merged_into'):
        op.drop_index(name, 'contacts')
    for name in (
        'revision', 'shared', 'merged_into', 'linked_at', 'linked_by', 'linked_customer_id', 'note', 'tier', 'named_by',
    ):
        op.drop_column('contacts', name)
