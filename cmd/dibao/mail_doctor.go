package main

import (
	"fmt"
	"net/netip"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/doctor"
)

func newMailDoctor(g *globals) *cobra.Command {
	var nameServer string
	var addresses []string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the DNS records of the sender domains, and print the records to publish",
		Long: "Checks, for each domain that mail is sent from: the servers of the envelope's domain (MX), who may send for it (SPF),\n" +
			"the DKIM keys, DMARC and its alignment, the names of the sending addresses (PTR), the name in EHLO, whether the relay\n" +
			"accepts our login and the sender of mailings, whether returned mail is read, and that readers can reach the unsubscribe\n" +
			"pages.",
		Args: cobra.NoArgs,
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			d := &doctor.Mail{Node: a.examined(), Resolver: doctor.ResolverAt(nameServer)}
			for _, s := range addresses {
				addr, err := netip.ParseAddr(s)
				if err != nil {
					return usagef("--from-ip %q is not an IP address", s)
				}
				d.From = append(d.From, addr)
			}
			if err := d.Examine(cmd.Context()); err != nil {
				return err
			}
			if err := printRows(g, cmd, []any{"Domain", "Check", "Status", "What"}, d.Found, func(f doctor.MailFinding) []any {
				return []any{f.Domain, f.Check, f.Status, f.Text}
			}); err != nil {
				return err
			}
			return concludeMail(g, cmd, d.Found)
		}),
	}
	cmd.Flags().StringVar(&nameServer, "resolver", "", "use this name server HOST:PORT instead of the system's")
	cmd.Flags().StringSliceVar(&addresses, "from-ip", nil, "IP addresses from which your mail reaches receivers (default: those of the relay)")
	return cmd
}

// concludeMail prints the records to publish, and returns an error if something has to
// be done.
func concludeMail(g *globals, cmd *cobra.Command, found []doctor.MailFinding) error {
	failed, unpublished, warnings, records := 0, 0, 0, 0
	for _, f := range found {
		switch f.Status {
		case "failed":
			failed++
			if f.Record != nil {
				unpublished++
			}
		case "warning":
			warnings++
		}
		if f.Record == nil {
			continue
		}
		if records++; records == 1 && !g.json {
			g.print(cmd, "\nDNS records to publish, as lines of a zone file:")
		}
		if !g.json {
			fmt.Fprintln(cmd.OutOrStdout(), "  "+*f.Record)
		}
	}
	switch {
	case failed > 0 && unpublished == 0:
		return &partialError{Err: fmt.Errorf("%d checks failed; follow their advice, then run again: dibao mail doctor", failed)}
	case failed > unpublished:
		return &partialError{Err: fmt.Errorf("%d checks failed; publish the records that were printed for %d of them, follow the advice of the others, then run again: dibao mail doctor", failed, unpublished)}
	case failed > 0:
		return &partialError{Err: fmt.Errorf("%d checks failed; publish the records that were printed, wait for DNS, then run again: dibao mail doctor", failed)}
	case warnings > 0:
		g.say(cmd, "no check failed; %d warnings say what would be better", warnings)
	default:
		g.say(cmd, "all checks passed")
	}
	return nil
}
