package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/doctor"
	"dibao/cmd/dibao/mailer"
	"dibao/internal/config"
	"dibao/internal/database"
)

func newDoctor(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check configuration, clock, database, disk, sources and mail, and suggest fixes",
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings := g.examine(cmd)
			if err := printRows(g, cmd, []any{"Check", "Status", "What"}, findings, func(f doctor.Finding) []any { return []any{f.Check, f.Status, f.Text} }); err != nil {
				return err
			}
			for _, f := range findings {
				if f.Status == "failed" {
					return fmt.Errorf("%s: %s", f.Check, f.Text)
				}
			}
			return nil
		},
	}
}

// examine runs the examinations one after another; it creates and changes nothing.
func (g *globals) examine(cmd *cobra.Command) []doctor.Finding {
	c, err := g.loadConfig()
	if err == nil {
		_, err = mailer.Sender(c)
	}
	if err != nil {
		return []doctor.Finding{{Check: "configuration", Status: "failed", Text: oneLine(err)}}
	}
	all := append([]doctor.Finding{{Check: "configuration", Status: "ok", Text: cmp.Or(c.File, "no config.toml is here; built-in values and the environment are used")}}, doctor.Surroundings(c, time.Now())...)
	a, state := g.openAsIs(cmd, c)
	all = append(all, state)
	if a == nil {
		return all
	}
	defer a.close()
	return append(all, a.examined().Examine(cmd.Context(), time.Now())...)
}

// examined returns the node that the doctors examine.
func (a *app) examined() *doctor.Node {
	return &doctor.Node{Config: a.config, DB: a.db, Articles: a.articles, Subscribers: a.subscribers, Digest: a.digest, Deliverer: a.deliverer}
}

// openAsIs opens an existing database with this program's schema; otherwise it returns
// a finding that says what to do.
func (g *globals) openAsIs(cmd *cobra.Command, c config.Config) (*app, doctor.Finding) {
	if err := missingDatabase(c); err != nil {
		return nil, doctor.Finding{Check: "database", Status: "failed", Text: err.Error()}
	}
	db, err := database.Open(cmd.Context(), c.Database.URL.Reveal(), database.Options{ReadURL: c.Database.ReadURL.Reveal()})
	if err != nil {
		return nil, doctor.Finding{Check: "database", Status: "failed", Text: oneLine(err)}
	}
	have, latest, err := db.Version(cmd.Context())
	switch {
	case err != nil:
	case have < latest:
		err = fmt.Errorf("%s has schema %d and this program needs %d; back it up, then run: dibao migrate", db, have, latest)
	case have > latest:
		err = fmt.Errorf("%s has schema %d and this program supports %d; run the newer dibao", db, have, latest)
	}
	var a *app
	if err == nil {
		err = db.Check(cmd.Context())
	}
	if err == nil {
		a, err = newApp(cmd.Context(), c, db, newLogger(c, cmd.ErrOrStderr()), time.Now)
	}
	if err != nil {
		db.Close()
		return nil, doctor.Finding{Check: "database", Status: "failed", Text: oneLine(err)}
	}
	return a, doctor.Finding{Check: "database", Status: "ok", Text: fmt.Sprintf("%s, schema %d", db, have)}
}
