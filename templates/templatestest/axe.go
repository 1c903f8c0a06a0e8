package templatestest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// Axe returns the script of axe-core, which "make needs" fetches; "" if it is missing.
func Axe(t testing.TB) string {
	t.Helper()
	dir, err := os.UserCacheDir()
	if err == nil {
		var b []byte
		if b, err = os.ReadFile(filepath.Join(dir, "dibao-tests", "node_modules", "axe-core", "axe.min.js")); err == nil {
			return string(b)
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("axe-core is not here (%v); make needs fetches it", err)
	}
	t.Logf("the pages are not checked by axe-core, which is not here (%v); make needs fetches it", err)
	return ""
}

// Violations returns the accessibility violations of the open page, once the script of
// [Axe] has run on it.
func Violations(ctx context.Context) ([]string, error) {
	return chromedp.Run(ctx, chromedp.Evaluate[[]string](axeRun, chromedp.EvalAwaitPromise))
}

// axeRun checks the rules of WCAG 2.2 A and AA and the best practices. If hardly any rules passed, the
// checks did not run properly, which counts as a violation.
const axeRun = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r => {
	const wrong = r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map(n =>
		n.target + " " + n.html.slice(0, 120) + " " + n.failureSummary.replace(/\s+/g, " ")).join("; "))
	return r.passes.length < 20 ? wrong.concat("only " + r.passes.length + " rules were applied") : wrong
})`
