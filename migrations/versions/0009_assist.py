"""agent assist and translations"""

from alembic import op
import sqlalchemy as sa


revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('assist_cards',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('contact_id', sa.String(length=32), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('agent_id', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('source', sa.String(length=400), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=True),
    sa.Column('citations', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('score', sa.Float(), nullable=True),
    sa.Column('took_ms', sa.Float(), nullable=True),
    sa.Column('shown_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('inserted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.String(length=16), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('distance', sa.Float(), nullable=True),
    sa.Column('reason', sa.String(length=24), nullable=True),
    sa.Column('message_id', sa.String(length=32), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('agent_id', 'conversation_id', 'seq', 'kind', 'source', name='uq_assist_cards_shown')
    )
    op.create_index('ix_assist_cards_contact_id', 'assist_cards', ['contact_id'])
    op.create_index('ix_assist_cards_open', 'assist_cards', ['conversation_id', 'agent_id', 'outcome'])
    op.create_index('ix_assist_cards_shown_at', 'assist_cards', ['shown_at'])
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
    op.create_table('message_translations',
    sa.Column('message_id', sa.String(length=32), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('contact_id', sa.String(length=32), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('message_id', 'language', 'model')
    )
    op.create_index('ix_message_translations_contact_id', 'message_translations', ['contact_id'])
    op.create_table('message_originals',
    sa.Column('message_id', sa.String(length=32), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('contact_id', sa.String(length=32), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.PrimaryKeyConstraint('message_id')
    )
    op.create_index('ix_message_originals_contact_id', 'message_originals', ['contact_id'])
    op.create_index('ix_message_originals_conversation_id', 'message_originals', ['conversation_id'])


def downgrade() -> None:
    op.drop_table('message_originals')
    op.drop_table('message_translations')
    op.drop_table('assist_digests')
    op.drop_table('assist_cards')
