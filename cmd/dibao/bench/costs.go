package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// UnitCosts are the costs of one email, commit, collection and article. docs/scale.md
// says how the defaults were measured.
type UnitCosts struct {
	MailCPU       float64 `json:"mail_cpu_ms"`          // CPU time of a node for an email, including rendering, an Ed25519 signature and SMTP
	MailDBCPU     float64 `json:"mail_db_cpu_ms"`       // CPU time of PostgreSQL for an email: its row, claim and outcome
	CommitCPU     float64 `json:"commit_cpu_ms"`        // CPU time of a node for a commit of hand-overs
	CommitDBCPU   float64 `json:"commit_db_cpu_ms"`     // CPU time of PostgreSQL for a commit of hand-overs
	Flush         float64 `json:"flush_ms"`             // time that PostgreSQL takes to write its log to the disk, for all waiting commits
	Gather        float64 `json:"gather_ms"`            // time that a hand-over waits for those of other connections
	Reply         float64 `json:"reply_ms"`             // time that a receiver takes to accept an email
	MailKB        float64 `json:"mail_kb"`              // size as sent
	ComposeCPU    float64 `json:"compose_cpu_ms"`       // CPU time of a node for a reader of an issue
	CollectionCPU float64 `json:"collection_cpu_ms"`    // CPU time of a node for a collection without news
	ArticleCPU    float64 `json:"article_cpu_ms"`       // CPU time of a node for a new article
	ArticleDBCPU  float64 `json:"article_db_cpu_ms"`    // CPU time of PostgreSQL for a new article
	Articles      float64 `json:"articles_a_day"`       // per source
	Collections   float64 `json:"collections_a_day"`    // per source
	ArticleKB     float64 `json:"article_db_kb"`        // size in PostgreSQL, including indexes
	ReaderKB      float64 `json:"reader_db_kb"`         // size in PostgreSQL, including indexes
	DeliveryKB    float64 `json:"delivery_db_kb"`       // size in PostgreSQL, including indexes; kept for Weeks
	Weeks         float64 `json:"weeks_of_deliveries"`  // number of weeks for which PostgreSQL keeps deliveries
	NodeMbit      float64 `json:"node_mbit_per_second"` // bandwidth of a node's network
}

// DefaultCosts were measured on one machine with 2 cores, as far as they depend on the machine.
var DefaultCosts = UnitCosts{
	MailCPU: 0.34, MailDBCPU: 0.5, CommitCPU: 1.07, CommitDBCPU: 0.72, Flush: 1.75, Gather: 2, Reply: 20, MailKB: 47, ComposeCPU: 0.039, CollectionCPU: 1.9, ArticleCPU: 2.7,
	ArticleDBCPU: 2.5, Articles: 3, Collections: 24, ArticleKB: 11, ReaderKB: 0.45, DeliveryKB: 0.6, Weeks: 8, NodeMbit: 1000,
}

// ReadCosts returns the defaults, overridden by the costs in a JSON file.
func ReadCosts(path string) (c UnitCosts, err error) {
	c = DefaultCosts
	if path == "" {
		return c, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	for _, v := range []float64{c.MailCPU, c.Reply, c.MailKB, c.NodeMbit} {
		if v <= 0 {
			return c, fmt.Errorf("%s: mail_cpu_ms, reply_ms, mail_kb and node_mbit_per_second must be greater than 0", path)
		}
	}
	return c, nil
}
