// Package sources contains the commands of dibao source: they add, show, test, edit, import
// and export the sources of articles.
package sources

import (
	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/feed"
	"dibao/feed/collect"
	"dibao/internal/config"
)

// Node is the part of an open node that the commands use.
type Node struct {
	Config    config.Config
	Articles  *feed.Store
	Collector *collect.Collector
}

// Program is what the commands need from the program they belong to: its flags,
// language, database and audit log.
type Program interface {
	// Open opens the configured database; the caller must call done afterwards.
	Open(cmd *cobra.Command) (n *Node, done func(), err error)
	// LacksDatabase reports whether the database is a file that does not exist.
	LacksDatabase() (bool, error)
	// UseDatabase makes Open open a different database from the configured one.
	UseDatabase(url string)
	// Say writes a message to stderr, unless --quiet is set; Print writes a line to
	// stdout. Both are in the language of the person who runs the command.
	Say(cmd *cobra.Command, format string, args ...any)
	Print(cmd *cobra.Command, format string, args ...any)
	// Message formats a text in that language; Either returns one of two texts.
	Message(format string, args ...any) string
	Either(english, chinese string) string
	// Output returns how results are written.
	Output() cli.Output
	// Yes reports whether --yes answers all questions.
	Yes() bool
	// Confirm asks the user before something that can't be undone.
	Confirm(cmd *cobra.Command, format string, args ...any) error
	// ChangedNothing keeps the command out of the audit log; Changed records there what
	// the command changed.
	ChangedNothing()
	Changed(detail string)
}

// verb wraps run, the work of a command on the database, and opens and closes the
// database around it.
func verb(p Program, run func(cmd *cobra.Command, args []string, n *Node) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		n, done, err := p.Open(cmd)
		if err != nil {
			return err
		}
		defer done()
		return run(cmd, args, n)
	}
}
