"""prompts"""

from alembic import op
import sqlalchemy as sa


revision = '0003'
down_revision = '0002_synonyms'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('prompt_versions',
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('template', sa.Text(), nullable=False),
    sa.Column('values', sa.JSON(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('author_id', sa.String(length=32), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', 'version')
    )
    op.create_table('prompt_activations',
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('ordinal', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('author_id', sa.String(length=32), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['name', 'version'], ['prompt_versions.name', 'prompt_versions.version'], ),
    sa.PrimaryKeyConstraint('name', 'ordinal')
    )


def downgrade() -> None:
    op.drop_table('prompt_activations')
    op.drop_table('prompt_versions')
