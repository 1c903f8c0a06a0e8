package status

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.yaml.in/yaml/v3"

	"dibao/digest"
	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/metrics"
	"dibao/internal/web"
	"dibao/subscribers"
)

// TestMetricsFollowTheConventions checks the names and the help of the metrics of a node,
// and looks for the metrics in the alerts and the dashboard.
func TestMetricsFollowTheConventions(t *testing.T) {
	url := databasetest.SQLite(t)
	db, err := database.Open(t.Context(), url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	readers, err := subscribers.New(t.Context(), db, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	articles := feed.NewStore(db, time.Now)
	issues, err := digest.New(db, articles, readers, digest.Options{BaseURL: "http://127.0.0.1:8080", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	node := Node{DB: db, Articles: articles, Digest: issues, Subscribers: readers, Zone: time.UTC, Log: quiet}
	collectors := []metrics.Collector{metrics.Process{}, db, &collector{node: node}, web.NewMetrics(&web.Cache{})}
	answer := httptest.NewRecorder()
	metrics.Handler(collectors...).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	problems, err := promlint.New(answer.Body).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}

	known := make(map[string]bool)
	for _, c := range collectors {
		for _, f := range c.Families() {
			for _, suffix := range []string{"", "_bucket", "_sum", "_count"} {
				known[f.Name+suffix] = true
			}
		}
	}
	for _, file := range []string{"../../../deploy/alerts.yaml", "../../../deploy/grafana.json"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".json") {
			err = json.Unmarshal(text, new(any))
		} else {
			err = yaml.Unmarshal(text, new(any))
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		names := regexp.MustCompile(`\bdibao_[a-z_]+`).FindAllString(string(text), -1)
		if len(names) < 8 {
			t.Errorf("%s names %d metrics", file, len(names))
		}
		for _, n := range names {
			if !known[n] {
				t.Errorf("%s names the metric %s, which dibao does not have", file, n)
			}
		}
	}
}
