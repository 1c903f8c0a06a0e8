package database

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

func (db *DB) provider() (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations/"+db.dialect.String())
	if err != nil {
		return nil, err
	}
	dialect := goose.DialectSQLite3
	if db.dialect == Postgres {
		dialect = goose.DialectPostgres
	}
	return goose.NewProvider(dialect, db.writer, dir)
}

// Version returns the version of the schema and the latest version that this program knows.
func (db *DB) Version(ctx context.Context) (current, latest int64, err error) {
	p, err := db.provider()
	if err != nil {
		return 0, 0, err
	}
	return p.GetVersions(ctx)
}

// Migrate migrates the schema to the latest version, including the job engine's. It can be
// run again. It refuses a schema that is newer than the program.
func (db *DB) Migrate(ctx context.Context) error {
	p, err := db.provider()
	if err != nil {
		return err
	}
	current, latest, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema version of %s: %w", db, Explain(err))
	}
	if current > latest {
		return fmt.Errorf("database %s has schema %d and this program supports %d; run the newer dibao, or restore a backup", db, current, latest)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate %s: %w", db, Explain(err))
	}
	if err := db.migrateJobs(ctx); err != nil {
		return fmt.Errorf("migrate the jobs of %s: %w", db, Explain(err))
	}
	return nil
}

// migrateJobs runs River's migrations without logging them: our own version implies them.
func (db *DB) migrateJobs(ctx context.Context) error {
	config := &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)}
	if db.dialect == Postgres {
		m, err := rivermigrate.New(riverdatabasesql.New(db.jobs), config)
		if err != nil {
			return err
		}
		_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err
	}
	m, err := rivermigrate.New(riversqlite.New(db.jobs), config)
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}
