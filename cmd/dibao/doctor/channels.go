package doctor

import (
	"context"
	"fmt"

	"dibao/internal/redact"
)

// examineChannels reports channels that can't send, or that did not get their newest
// issue.
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
		text := fmt.Sprintf("channel %d (%s) may already have received its newest issue, and does not get it again: %s", r.Channel, r.Kind, r.LastReply())
		switch r.State {
		case "failed":
			text = fmt.Sprintf("channel %d (%s) did not accept its newest issue; correct this and run dibao issue resend %d --failed: %s", r.Channel, r.Kind, r.Mailing, r.LastReply())
		case "waiting":
			text = fmt.Sprintf("channel %d (%s) has not accepted its newest issue yet; dibao tries again: %s", r.Channel, r.Kind, r.LastReply())
		}
		all = append(all, Finding{"channels", "warning", text})
	}
	if len(all) == 0 {
		all = append(all, Finding{"channels", "ok", fmt.Sprint(len(channels))})
	}
	return all
}
