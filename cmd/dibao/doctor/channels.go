package doctor

import (
	"context"
	"fmt"

	"dibao/internal/redact"
)

// examineChannels names the channels that can't send, or did not take their newest issue.
func (n *Node) examineChannels(ctx context.Context) (all []Finding) {
	channels, err := n.Digest.Channels.Channels(ctx, 0)
	if err != nil {
		return []Finding{{"channels", "failed", redact.Line(err)}}
	}
	if len(channels) == 0 {
		return nil
	}
	for _, c := range channels {
		if err := c.Check(); err != nil {
			all = append(all, Finding{"channels", "failed", fmt.Sprintf("channel %d (%s): %s", c.ID, c.Kind, redact.Line(err))})
		}
	}
	troubled, err := n.Digest.Channels.Troubled(ctx)
	if err != nil {
		return append(all, Finding{"channels", "failed", redact.Line(err)})
	}
	for _, r := range troubled {
		all = append(all, Finding{"channels", "warning", fmt.Sprintf("channel %d (%s) did not take its newest issue: %s; when that is corrected, run: dibao issue resend %d --failed", r.Channel, r.Kind, r.Says(), r.Mailing)})
	}
	if len(all) == 0 {
		all = append(all, Finding{"channels", "ok", fmt.Sprint(len(channels))})
	}
	return all
}
