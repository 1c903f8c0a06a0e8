package bench

import (
	"fmt"
	"os"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
)

// benchCommands builds the commands of "dibao bench".
type benchCommands struct {
	open     Open
	database *string           // as specified on the command line
	output   func() cli.Output // called after the flags are parsed
}

// New returns the commands that measure this machine, on the database in --database or
// on one that open creates.
func New(open Open, database *string, output func() cli.Output) *cobra.Command {
	v := &benchCommands{open, database, output}
	cmd := &cobra.Command{Use: "bench", Short: "Benchmark this machine against a baseline in the same run"}
	cmd.AddCommand(v.newCollect(), v.newCompose(), v.newDeliver(), v.newSearch(), v.newImport(), v.newPublish(), v.newIdle(), v.newCluster(), v.newSimulate(), v.newHelper())
	var profile *os.File
	path := cmd.PersistentFlags().String("cpuprofile", "", "write a CPU profile for go tool pprof to this file")
	cmd.PersistentPreRunE = func(*cobra.Command, []string) (err error) {
		if *path == "" {
			return nil
		}
		if profile, err = os.Create(*path); err != nil {
			return err
		}
		return pprof.StartCPUProfile(profile)
	}
	cmd.PersistentPostRunE = func(*cobra.Command, []string) error {
		if profile == nil {
			return nil
		}
		pprof.StopCPUProfile()
		return profile.Close()
	}
	return cmd
}

func (v *benchCommands) newCollect() *cobra.Command {
	var feeds, items int
	var pages bool
	cmd := &cobra.Command{
		Use:   "collect",
		Short: "Benchmark collecting: first time, 304 responses, and unchanged bytes",
		Long:  "The baseline parses the same bytes with a library alone: gofeed, or goquery with --pages.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if feeds < 1 || items < 1 || feeds > 100_000 || items > 2000 {
				return cli.Usagef("--feeds must be from 1 to 100000, --items from 1 to 2000")
			}
			out, err := Collect(cmd.Context(), v.open, feeds, items, pages)
			if err != nil {
				return err
			}
			return cli.PrintRows(v.output(), cmd, []any{"Feeds", "Entries", "First CPU", "First wall", "304 CPU", "Same body CPU", "Peak MB", "Baseline CPU"}, []CollectFigures{out},
				func(f CollectFigures) []any {
					return []any{f.Feeds, f.Entries, seconds(f.FirstCPU), seconds(f.FirstWall), seconds(f.NotModified), seconds(f.SameBody), int(f.PeakRSS), seconds(f.BaselineParse)}
				})
		},
	}
	cmd.Flags().IntVar(&feeds, "feeds", 1000, "number of sources")
	cmd.Flags().IntVar(&items, "items", 20, "number of items in each source")
	cmd.Flags().BoolVar(&pages, "pages", false, "collect lists and article pages of 20 kB instead of feeds")
	return cmd
}

func (v *benchCommands) newCompose() *cobra.Command {
	var readers, sets, profiles, articles int
	cmd := &cobra.Command{
		Use:   "compose",
		Short: "Benchmark composing and rendering personal digests of one list",
		Long: "Creates readers with --sets different choices of themes and regions, composes an issue for them, and renders\n" +
			"every reader's message as it would be sent, unsigned. No message leaves the process.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if readers < 1 || sets < 1 || profiles < 0 || articles < 1 || articles > 400 {
				return cli.Usagef("--readers and --sets must be 1 or more, --profiles 0 or more, --articles from 1 to 400")
			}
			figures, err := Compose(cmd.Context(), v.open, readers, sets, profiles, articles)
			if err != nil {
				return err
			}
			return cli.PrintRows(v.output(), cmd, []any{"Readers", "Sets", "Profiles", "Messages", "Variants", "Compose CPU s", "Render CPU s", "µs a digest", "kB", "Peak MB"}, []ComposeFigures{figures}, func(f ComposeFigures) []any {
				return []any{f.Readers, f.Sets, f.Profiles, f.Messages, f.Variants, f.ComposeCPU, f.RenderCPU, f.CPUEachUS, f.MessageKB, f.PeakRSS}
			})
		},
	}
	cmd.Flags().IntVar(&readers, "readers", 100_000, "number of readers")
	cmd.Flags().IntVar(&sets, "sets", 10_000, "number of different preferences")
	cmd.Flags().IntVar(&profiles, "profiles", 0, "number of different profiles of readers; unless it is 0, every other article is a call")
	cmd.Flags().IntVar(&articles, "articles", 60, "number of articles in the issue")
	return cmd
}

func (v *benchCommands) newIdle() *cobra.Command {
	var during time.Duration
	cmd := &cobra.Command{
		Use:   "idle",
		Short: "Benchmark an idle daemon against an empty HTTP server",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			figures, err := Idle(cmd.Context(), *v.database, during)
			if err != nil {
				return err
			}
			return cli.PrintRows(v.output(), cmd, []any{"Seconds", "CPU s", "Of a core", "Wake-ups/s", "MB", "Empty: CPU s", "Wake-ups/s", "MB"}, []IdleFigures{figures}, func(f IdleFigures) []any {
				return []any{int(f.Seconds), seconds(f.CPU), fmt.Sprintf("%.2f %%", f.CorePercent), int(f.Wakeups), int(f.RSS), seconds(f.EmptyCPU), int(f.EmptyWakeups), int(f.EmptyRSS)}
			})
		},
	}
	cmd.Flags().DurationVar(&during, "during", time.Minute, "duration of the measurement")
	return cmd
}

func (v *benchCommands) newDeliver() *cobra.Command {
	b := &Delivery{}
	cmd := &cobra.Command{
		Use:   "deliver",
		Short: "Benchmark delivering: the ledger against the bare transport, a connection pool and bare signing",
		Long: "Composes a mailing for generated readers and delivers it to a mail server that accepts and discards everything: its own,\n" +
			"or the one given with --smtp. The baselines send the same bytes through the same transport without ledger and\n" +
			"rendering (raw), and through the pool of jordan-wright/email (pool); sign only signs a hash.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if b.Recipients < 1 || b.Recipients > 5_000_000 || b.BodyKB < 4 || b.BodyKB > 90 || b.Connections < 1 || b.Connections > 100 {
				return cli.Usagef("--recipients must be from 1 to 5000000, --body-kb from 4 to 90, --connections from 1 to 100")
			}
			if b.DKIM != "none" && b.DKIM != "rsa" && b.DKIM != "ed25519" {
				return cli.Usagef("--dkim must be none, rsa or ed25519, not %q", b.DKIM)
			}
			out, err := b.Run(cmd.Context(), v.open)
			if err != nil {
				return err
			}
			return cli.PrintRows(v.output(), cmd, []any{"Messages", "Wall", "CPU", "CPU each", "Compose", "Peak MB", "Raw", "Pool", "Sign", "KB"}, []DeliverFigures{out},
				func(f DeliverFigures) []any {
					return []any{f.Messages, seconds(f.Wall), seconds(f.CPU), millis(f.PerMessage), seconds(f.Compose), int(f.PeakRSS),
						millis(f.BaselineRaw), millis(f.BaselinePool), millis(f.BaselineSign), int(f.MessageKB)}
				})
		},
	}
	cmd.Flags().IntVar(&b.Recipients, "recipients", 50_000, "number of readers")
	cmd.Flags().IntVar(&b.BodyKB, "body-kb", 32, "approximate size of text and HTML of a message, before encoding")
	cmd.Flags().IntVar(&b.Connections, "connections", 4, "number of connections to the mail server")
	cmd.Flags().StringVar(&b.DKIM, "dkim", "none", "none, rsa or ed25519")
	cmd.Flags().StringVar(&b.SMTP, "smtp", "", "a mail server HOST:PORT on this machine or a test network, instead of the built-in one")
	return cmd
}

func (v *benchCommands) newCluster() *cobra.Command {
	b := Cluster{Nodes: []int{1, 2, 4}}
	cmd := &cobra.Command{
		Use:     "cluster",
		Short:   "Benchmark several nodes that deliver together, on an empty PostgreSQL database",
		Example: "  dibao bench cluster --database postgres://dibao@localhost/bench --nodes 1,2,4",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if b.Database = *v.database; !strings.HasPrefix(b.Database, "postgres") {
				return cli.Usagef("specify an empty PostgreSQL database with --database")
			}
			if b.Recipients < 1 || slices.Min(b.Nodes) < 1 || slices.Max(b.Nodes) > 32 {
				return cli.Usagef("--recipients must be 1 or more, --nodes from 1 to 32")
			}
			out, err := b.Run(cmd.Context(), v.open)
			if err != nil {
				return err
			}
			return cli.PrintRows(v.output(), cmd, []any{"Nodes", "Messages", "Wall", "Messages/s", "Ratio", "First"}, out, func(f ClusterFigures) []any {
				return []any{f.Nodes, f.Messages, seconds(f.Wall), int(f.PerSecond), fmt.Sprintf("%.2f", f.Speedup), seconds(f.First)}
			})
		},
	}
	cmd.Flags().IntSliceVar(&b.Nodes, "nodes", b.Nodes, "numbers of nodes, with one run for each number")
	cmd.Flags().IntVar(&b.Recipients, "recipients", 12_000, "number of readers")
	cmd.Flags().DurationVar(&b.Latency, "latency", 20*time.Millisecond, "time that the mail server takes for each message")
	return cmd
}

func (v *benchCommands) newSimulate() *cobra.Command {
	one := Simulation{Nodes: 1, Cores: 2, Connections: 8, DBCores: 4}
	var costs string
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Simulate a service that is too large to test on one machine, from measured costs",
		Long: "Computes how long a mailing takes, which resource is saturated first, how many cores collecting uses, and how large\n" +
			"the database is after a year. Without --readers it does so for a ministry, a province and the nation. --costs\n" +
			"specifies a JSON file with the costs that differ from those in docs/scale.md.",
		Example: "  dibao bench simulate\n  dibao bench simulate --sources 1000 --readers 200000 --nodes 3 --limit 20000",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := ReadCosts(costs)
			if err != nil {
				return err
			}
			if one.Sources < 0 || one.Readers < 0 || one.Limit < 0 || min(one.Nodes, one.Cores, one.Connections, one.DBCores) < 1 || max(one.Nodes, one.Cores, one.Connections, one.DBCores) > 1000 {
				return cli.Usagef("--sources, --readers and --limit must be 0 or more, --nodes, --cores, --connections and --database-cores from 1 to 1000")
			}
			all := Services
			if one.Readers > 0 {
				all = []Simulation{one}
			}
			var out []SimulationFigures
			for _, s := range all {
				s.Costs = c
				out = append(out, s.Run())
			}
			return cli.PrintRows(v.output(), cmd, []any{"Service", "Sources", "Readers", "Nodes", "Messages/s", "Mailing takes", "Saturated first", "Busy", "Collecting", "Database", "Core hours a million", "GB a million"}, out, func(f SimulationFigures) []any {
				return []any{f.Name, f.Sources, f.Readers, f.Nodes, int(f.PerSecond), time.Duration(f.Mailing * float64(time.Second)).Round(time.Second), f.First, fmt.Sprintf("%.0f %%", 100*f.Busy[f.First]),
					fmt.Sprintf("%.2f", f.Collect), fmt.Sprintf("%.0f GB", f.DatabaseG), fmt.Sprintf("%.2f", f.CoreHours), fmt.Sprintf("%.0f", f.SentGB)}
			})
		},
	}
	cmd.Flags().StringVar(&costs, "costs", "", "JSON file with measured costs")
	cmd.Flags().IntVar(&one.Sources, "sources", 0, "number of sources")
	cmd.Flags().IntVar(&one.Readers, "readers", 0, "number of readers; 0: a ministry, a province and the nation")
	cmd.Flags().IntVar(&one.Nodes, "nodes", one.Nodes, "number of nodes that deliver")
	cmd.Flags().IntVar(&one.Cores, "cores", one.Cores, "cores of each node")
	cmd.Flags().IntVar(&one.Connections, "connections", one.Connections, "connections of each node to mail servers")
	cmd.Flags().IntVar(&one.DBCores, "database-cores", one.DBCores, "cores of the PostgreSQL server")
	cmd.Flags().IntVar(&one.Limit, "limit", 0, "emails a minute that receivers accept from all nodes together; 0: no limit")
	return cmd
}

func (v *benchCommands) newImport() *cobra.Command {
	rows := 100_000
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Benchmark importing readers from a CSV file into an empty database",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if rows < 1 {
				return cli.Usagef("--rows must be 1 or more")
			}
			r, err := Import(cmd.Context(), v.open, rows)
			if err != nil {
				return err
			}
			return cli.PrintRows(v.output(), cmd, []any{"Rows", "Readers", "Wall s", "CPU s", "Peak MB"}, []ImportFigures{r}, func(r ImportFigures) []any {
				return []any{r.Rows, r.Readers, r.WallS, r.CPUS, r.PeakRSSMB}
			})
		},
	}
	cmd.Flags().IntVar(&rows, "rows", rows, "number of readers")
	return cmd
}

func (v *benchCommands) newPublish() *cobra.Command {
	var articles int
	cmd := &cobra.Command{
		Use:   "publish",
		Short: "Benchmark serving feeds and pages against Go's file server with the same bytes",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if articles < 20 || articles > 1_000_000 {
				return cli.Usagef("--articles must be from 20 to 1000000")
			}
			out, err := Publish(cmd.Context(), v.open, articles)
			if err != nil {
				return err
			}
			return cli.PrintRows(v.output(), cmd, []any{"Articles", "Feed/s", "304/s", "File/s", "Page p99", "Archive", "Peak MB"}, []PublishFigures{out},
				func(f PublishFigures) []any {
					return []any{f.Articles, int(f.FeedRPS), int(f.NotModifiedRPS), int(f.FileRPS), fmt.Sprintf("%.1f ms", f.PageP99),
						fmt.Sprintf("%.1f and %.1f ms", f.ArchiveFirst, f.ArchiveLast), int(f.PeakRSS)}
				})
		},
	}
	cmd.Flags().IntVar(&articles, "articles", 200, "number of articles in the database")
	return cmd
}

func (v *benchCommands) newSearch() *cobra.Command {
	var articles, queries int
	cmd := &cobra.Command{
		Use:   "search",
		Short: "Benchmark searching: rare and common queries over generated articles",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if articles < 100 || articles > 2_000_000 || queries < 10 || queries > 100_000 {
				return cli.Usagef("--articles must be from 100 to 2000000, --queries from 10 to 100000")
			}
			out, err := Search(cmd.Context(), v.open, articles, queries)
			if err != nil {
				return err
			}
			return cli.PrintRows(v.output(), cmd, []any{"Articles", "Queries", "p50", "p99", "Slowest", "Index", "Size"}, []SearchFigures{out}, func(f SearchFigures) []any {
				return []any{f.Articles, f.Queries, fmt.Sprintf("%.1f ms", f.P50), fmt.Sprintf("%.1f ms", f.P99), f.Slowest, seconds(f.Index), fmt.Sprintf("%.0f MB", f.Size)}
			})
		},
	}
	cmd.Flags().IntVar(&articles, "articles", 100_000, "number of articles to search")
	cmd.Flags().IntVar(&queries, "queries", 1000, "number of queries to time")
	return cmd
}

func seconds(s float64) string { return fmt.Sprintf("%.2f s", s) }

func millis(ms float64) string { return fmt.Sprintf("%.3f ms", ms) }

// newHelper returns the hidden command that runs the helper process of a benchmark; the
// benchmarks start it.
func (v *benchCommands) newHelper() *cobra.Command {
	var feeds, items int
	cmd := &cobra.Command{
		Use: "helper KIND", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			known, err := RunHelper(cmd.Context(), args[0], feeds, items, cmd.OutOrStdout())
			if !known {
				return cli.Usagef("unknown kind %q", args[0])
			}
			return err
		},
	}
	cmd.Flags().IntVar(&feeds, "feeds", 0, "")
	cmd.Flags().IntVar(&items, "items", 0, "")
	return cmd
}
