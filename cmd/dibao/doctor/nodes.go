package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dibao/internal/nodes"
	"dibao/internal/redact"
)

// examineNodes finds nodes that ended unexpectedly, whose clocks differ, or
// that run a different version. A single process has nothing to compare.
func (n *Node) examineNodes(ctx context.Context) (all []Finding) {
	list, err := nodes.List(ctx, n.DB)
	if err != nil {
		return []Finding{{"nodes", "failed", redact.Line(err)}}
	}
	versions, living := []string{}, 0
	for _, node := range list {
		name := fmt.Sprintf("%s, process %d", node.Host, node.PID)
		if node.Gone {
			all = append(all, Finding{"nodes", "warning", fmt.Sprintf("%s was last seen at %s and did not shut down cleanly; see its log", name, node.SeenAt.In(n.Config.Schedule.Zone).Format(time.DateTime))})
			continue
		}
		living++
		if node.Clock.Abs() > nodes.MaxSkew {
			all = append(all, Finding{"nodes", "warning", fmt.Sprintf("the clock of %s differs from the database server's by %s; synchronize it with NTP", name, node.Clock.Round(time.Second))})
		}
		if !slices.Contains(versions, node.Version) {
			versions = append(versions, node.Version)
		}
	}
	if len(versions) > 1 {
		all = append(all, Finding{"nodes", "warning", "the nodes run different versions: " + strings.Join(versions, ", ") + "; upgrade all of them"})
	}
	if len(all) == 0 && living > 1 {
		all = append(all, Finding{"nodes", "ok", fmt.Sprint(living)})
	}
	return all
}
