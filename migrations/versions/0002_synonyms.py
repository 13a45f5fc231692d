"""synonyms taught by trainers"""

from alembic import op
import sqlalchemy as sa


revision = '0002_synonyms'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('kb_synonyms',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('language', sa.String(length=4), nullable=False),
    sa.Column('term', sa.String(length=80), nullable=False),
    sa.Column('means', sa.String(length=80), nullable=False),
    sa.Column('two_way', sa.Boolean(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_by', sa.String(length=120), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('kb_synonym_revision',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )


def downgrade() -> None:
    op.drop_table('kb_synonym_revision')
    op.drop_table('kb_synonyms')
