package cli

import (
	"testing"

	"github.com/spf13/cobra"
)

func TestManualPage(t *testing.T) {
	t.Parallel()
	root := &cobra.Command{Use: "dibao", Short: "Collect policy"}
	cmd := &cobra.Command{
		Use: "add URL", Short: "Add a source", Long: "Adds it - to `config`.\n\n.hidden files don't count.",
		Example: "  dibao add 'a\\b'", Run: func(*cobra.Command, []string) {},
	}
	cmd.Flags().String("name", "news", "shown `text`\n'quoted' and ~home")
	cmd.Flags().Bool("old", false, "not shown")
	if err := cmd.Flags().MarkHidden("old"); err != nil {
		t.Fatal(err)
	}
	root.PersistentFlags().BoolP("quiet", "q", false, "print less")
	root.AddCommand(cmd)
	const want = `.nh
.TH "DIBAO-ADD" "1" "" "dibao" "dibao"
.SH NAME
dibao\-add \- Add a source
.SH SYNOPSIS
\fBdibao add URL [flags]\fP
.SH DESCRIPTION
Adds it \- to \(gaconfig\(ga.
.PP
\&.hidden files don\(aqt count.
.SH OPTIONS
.TP
\fB\-h\fP, \fB\-\-help\fP
help for add
.TP
\fB\-\-name\fP \fItext\fP
shown text
\(aqquoted\(aq and \(tihome (news)
.SH OPTIONS INHERITED FROM PARENT COMMANDS
.TP
\fB\-q\fP, \fB\-\-quiet\fP
print less
.SH EXAMPLE
.nf
  dibao add \(aqa\eb\(aq
.fi
.SH SEE ALSO
\fBdibao\fP(1)
`
	if got := manualPage(cmd); got != want {
		t.Errorf("got\n%s", got)
	}
}
