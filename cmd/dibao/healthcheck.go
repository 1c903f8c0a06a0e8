package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

func newHealthCheck(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the daemon on this machine whether it is ready; for containers and monitors",
		Long:  "Asks /readyz at addr in [server] without a proxy. Exit status 0: the daemon responds and reaches its database.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.loadConfig()
			if err != nil {
				return err
			}
			host, port, err := net.SplitHostPort(c.Server.Addr)
			if err != nil {
				return fmt.Errorf("addr in [server]: %w", err)
			}
			if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
				host = "127.0.0.1" // it listens on every address
			}
			scheme := "http://"
			if c.Server.TLSCert != "" || len(c.Server.ACMEHosts) > 0 {
				scheme = "https://"
			}
			// The certificate is for the name that readers use, and nothing secret is sent.
			client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
			req, err := http.NewRequestWithContext(cmd.Context(), http.MethodGet, scheme+net.JoinHostPort(host, port)+"/readyz", nil)
			if err != nil {
				return err
			}
			resp, err := client.Do(req)
			if err != nil {
				return fmt.Errorf("the daemon does not answer: %w; start it with: dibao serve", err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("the daemon returns %s; see its log", resp.Status)
			}
			g.say(cmd, "ready")
			return nil
		},
	}
}

// ready answers /readyz: the daemon runs and reaches its database.
func (a *app) ready(w http.ResponseWriter, r *http.Request) {
	if _, _, err := a.articles.Version(r.Context()); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, "database not reached")
		return
	}
	fmt.Fprintln(w, "ok")
}
