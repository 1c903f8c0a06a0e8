package cli

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// WriteManual writes the manual pages of a command and its subcommands into a folder, each
// as NAME.1. The pages have no date: the same program writes the same pages.
func WriteManual(cmd *cobra.Command, dir string) error {
	name := manualName(cmd)
	if err := os.WriteFile(filepath.Join(dir, name+".1"), []byte(manualPage(cmd)), 0o644); err != nil {
		return err
	}
	for _, sub := range inManual(cmd) {
		if err := WriteManual(sub, dir); err != nil {
			return err
		}
	}
	return nil
}

func manualName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// inManual returns the subcommands that have a page.
func inManual(cmd *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && !sub.IsAdditionalHelpTopicCommand() {
			all = append(all, sub)
		}
	}
	return all
}

// manualPage is a page in the man macros of roff; man(7) describes them.
func manualPage(cmd *cobra.Command) string {
	cmd.InitDefaultHelpFlag()
	name := manualName(cmd)
	var b strings.Builder
	b.WriteString(".nh\n.TH \"" + strings.ToUpper(name) + "\" \"1\" \"\" \"dibao\" \"dibao\"\n")
	section := func(title, body string) {
		if body != "" {
			b.WriteString(".SH " + title + "\n" + strings.TrimPrefix(body, ".PP\n"))
		}
	}
	section("NAME", roffText(name+" - "+cmd.Short))
	section("SYNOPSIS", "\\fB"+roff(cmd.UseLine())+"\\fP\n")
	section("DESCRIPTION", roffText(cmp.Or(cmd.Long, cmd.Short)))
	section("OPTIONS", roffFlags(cmd.NonInheritedFlags()))
	section("OPTIONS INHERITED FROM PARENT COMMANDS", roffFlags(cmd.InheritedFlags()))
	if cmd.Example != "" {
		section("EXAMPLE", ".nf\n"+roffText(strings.ReplaceAll(cmd.Example, "\n\n", "\n"))+".fi\n")
	}
	var also []string
	if cmd.HasParent() {
		also = append(also, "\\fB"+roff(manualName(cmd.Parent()))+"\\fP(1)")
	}
	for _, sub := range inManual(cmd) {
		also = append(also, "\\fB"+roff(manualName(sub))+"\\fP(1)")
	}
	if len(also) > 0 {
		section("SEE ALSO", strings.Join(also, ",\n")+"\n")
	}
	return b.String()
}

// roffFlags lists flags with their defaults.
func roffFlags(flags *pflag.FlagSet) string {
	var b strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		b.WriteString(".TP\n")
		if f.Shorthand != "" && f.ShorthandDeprecated == "" {
			b.WriteString("\\fB\\-" + roff(f.Shorthand) + "\\fP, ")
		}
		kind, usage := pflag.UnquoteUsage(f)
		b.WriteString("\\fB\\-\\-" + roff(f.Name) + "\\fP")
		if kind != "" {
			b.WriteString(" \\fI" + roff(kind) + "\\fP")
		}
		switch f.DefValue {
		case "", "false", "0", "0s", "[]":
		default:
			usage += " (" + f.DefValue + ")"
		}
		b.WriteString("\n" + roffText(usage))
	})
	return b.String()
}

var roffEscapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", "\\(ga", "^", `\(ha`, "~", `\(ti`)

// roff escapes what means something to roff.
func roff(text string) string { return roffEscapes.Replace(text) }

// roffText escapes text: each line is a line of the source, and an empty one ends a paragraph.
func roffText(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		switch line = strings.TrimRight(line, "\n"); {
		case strings.TrimSpace(line) == "":
			b.WriteString(".PP\n")
		case strings.HasPrefix(line, "."):
			b.WriteString(`\&` + roff(line) + "\n")
		default:
			b.WriteString(roff(line) + "\n")
		}
	}
	return b.String()
}
