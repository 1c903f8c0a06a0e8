package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dibao/subscribers"
)

func newToken(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Manage access to the admin API",
		Long: "With api = true in [server], programs use the commands of the command line over HTTP, on admin_addr:\n\n" +
			"  curl -H \"Authorization: Bearer dibao_…\" -d '{\"args\": [\"*@qq.com\"], \"flags\": {\"state\": \"confirmed\"}}' \\\n" +
			"    http://127.0.0.1:9090/api/subscriber/list\n\n" +
			"The response is what --json prints. See: dibao handbook 8",
	}
	cmd.AddCommand(newTokenCreate(g), newTokenList(g), newTokenRevoke(g), newTokenRotateKeys(g))
	return cmd
}

func newTokenCreate(g *globals) *cobra.Command {
	var scopes []string
	var file string
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a token; it is printed once, and only its hash is stored",
		Long: "With --file, the token goes to a new file that only you can read, and not to the terminal. The scope read allows every\n" +
			"command that changes nothing, including those that show addresses of readers; for narrower access, specify single commands, such as article:list.",
		Example: "  dibao token create backoffice --scope read --scope subscriber:add\n" +
			"  dibao token create editor --scope read --file ~/.dibao-token",
		Args: cobra.ExactArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			for _, s := range scopes {
				if !isScope(s) {
					return usagef("scope %q is neither read nor a group or a command of the API: %s", s, strings.Join(apiScopes(), ", "))
				}
			}
			g.change.target = "token " + args[0]
			create := func(write func(token string) error) error {
				token, err := a.subscribers.CreateAPIToken(cmd.Context(), args[0], scopes)
				if err != nil {
					return err
				}
				return write(token)
			}
			if file != "" {
				err := writeNew(file, func(w io.Writer) error {
					return create(func(token string) error { _, err := fmt.Fprintln(w, token); return err })
				})
				if err != nil {
					return err
				}
				if g.json {
					return writeJSON(cmd.OutOrStdout(), map[string]any{"name": args[0], "scopes": scopes, "file": file})
				}
				g.say(cmd, "token %s is in %s, which only you can read", args[0], file)
				return nil
			}
			return create(func(token string) error {
				if g.json {
					return writeJSON(cmd.OutOrStdout(), map[string]any{"name": args[0], "scopes": scopes, "token": token})
				}
				_, err := fmt.Fprintln(cmd.OutOrStdout(), token)
				return err
			})
		}),
	}
	cmd.Flags().StringArrayVar(&scopes, "scope", nil, "permission: read, a group such as subscriber, or a command such as subscriber:add (repeatable)")
	cmd.Flags().StringVar(&file, "file", "", "new file to write the token to, readable by you alone")
	return cmd
}

// isScope reports whether a scope allows any command of the API.
func isScope(scope string) bool {
	return scope == "read" || slices.ContainsFunc(apiScopes(), func(verb string) bool { return scope == verb || strings.HasPrefix(verb, scope+":") })
}

// apiScopes are the scopes that allow one command each.
func apiScopes() []string {
	all := make([]string, len(apiVerbs))
	for i, verb := range apiVerbs {
		all[i] = strings.Replace(verb, " ", ":", 1)
	}
	return all
}

func newTokenList(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List tokens, their permissions and their last use",
		Args:  cobra.NoArgs,
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			all, err := a.subscribers.APITokens(cmd.Context())
			if err != nil {
				return err
			}
			return printRows(g, cmd, []any{"Name", "Scopes", "Made", "Used", "Revoked"}, all, func(t subscribers.APIToken) []any {
				used, revoked := "", ""
				if t.UsedAt != nil {
					used = shortTime(*t.UsedAt, a.config.Schedule.Zone)
				}
				if t.RevokedAt != nil {
					revoked = shortTime(*t.RevokedAt, a.config.Schedule.Zone)
				}
				return []any{t.Name, t.Scopes, shortTime(t.CreatedAt, a.config.Schedule.Zone), used, revoked}
			})
		}),
	}
}

func newTokenRevoke(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME",
		Short: "Revoke a token immediately",
		Args:  cobra.ExactArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			if err := a.subscribers.RevokeAPIToken(cmd.Context(), args[0]); err != nil {
				return err
			}
			g.change.target = "token " + args[0]
			g.say(cmd, "token %s is revoked", args[0])
			return nil
		}),
	}
}

func newTokenRotateKeys(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "rotate-keys",
		Short: "Create a new key that signs the links in emails; links that are already sent stay valid",
		Args:  cobra.NoArgs,
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			if err := a.subscribers.Keys().Rotate(cmd.Context()); err != nil {
				return err
			}
			g.change.target = "keys of links"
			g.say(cmd, "new links are signed with a new key; a running dibao serve uses it after a restart, or when it receives such a link")
			return nil
		}),
	}
}
