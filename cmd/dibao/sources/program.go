// Package sources has the commands of dibao source: they add, show, test, edit,
// import and export the sources of articles.
package sources

import (
	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/feed"
	"dibao/feed/collect"
	"dibao/internal/config"
)

// Node is what the commands use of an open node.
type Node struct {
	Config    config.Config
	Articles  *feed.Store
	Collector *collect.Collector
}

// Program is what the commands need of the program that they are part of: its
// flags, its language, its database and its audit log.
type Program interface {
	// Open opens the database that is configured; whoever calls it calls done
	// afterwards.
	Open(cmd *cobra.Command) (n *Node, done func(), err error)
	// LacksDatabase reports whether the database is a file that does not exist.
	LacksDatabase() (bool, error)
	// UseDatabase makes Open open another database than the one configured.
	UseDatabase(url string)
	// Say writes talk to stderr, unless --quiet; Print writes a line to stdout.
	// Both are in the language of the person who runs the command.
	Say(cmd *cobra.Command, format string, args ...any)
	Print(cmd *cobra.Command, format string, args ...any)
	// Message formats a text in that language; Either chooses one of two.
	Message(format string, args ...any) string
	Either(english, chinese string) string
	// Output returns how results are written.
	Output() cli.Output
	// Yes reports whether every question is answered with yes.
	Yes() bool
	// Confirm asks before something that can't be undone.
	Confirm(cmd *cobra.Command, format string, args ...any) error
	// ChangedNothing keeps the command out of the audit log; Changed says there
	// what it changed.
	ChangedNothing()
	Changed(detail string)
}

// verb is what a command runs that works on the database: run, with all open.
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
