package templates

import (
	"strings"

	"dibao/internal/lazyregexp"
)

// Evidence whose element readers need not know.
var (
	metaEvidence    = lazyregexp.New(`^meta\[(?:name|property)=([^\]]+)\]$`)
	elementEvidence = lazyregexp.New(`^[a-z][a-z0-9]*(?:[.#][\w-]+)* (\p{Han}.*)$`)
)

// provenances are kinds of evidence with the keys of their words.
var provenances = map[string]string{
	"feed": "feed", "list page": "list", "url": "url", "script": "script", "落款": "signature", "人工更正": "hand", "主题分类": "classification",
}

// Provenance describes the stored evidence for a fact in a language: a label of the page,
// its metadata, or the title or text, which is quoted. Unknown evidence is returned
// unchanged.
func Provenance(language, from string) string {
	if name, ok := provenances[from]; ok {
		return Words(language, "provenance."+name)
	}
	if m := metaEvidence.FindStringSubmatch(from); m != nil {
		return Words(language, "provenance.meta", m[1])
	}
	if m := elementEvidence.FindStringSubmatch(from); m != nil {
		return Words(language, "provenance.label", m[1])
	}
	from, estimated := strings.CutSuffix(from, "（节假日安排未公布，按周末估算）")
	var parts []string
	for _, part := range strings.Split(strings.ReplaceAll(from, "”，正文“", "”\x00正文“"), "\x00") {
		place, quoted, ok := strings.Cut(part, "“")
		name := map[string]string{"标题": "title", "正文": "text", "摘要": "summary", "附件": "attachment"}[place]
		if !ok || name == "" || !strings.HasSuffix(quoted, "”") {
			parts = append(parts, part)
			continue
		}
		quoted = strings.ReplaceAll(strings.TrimSuffix(quoted, "”"), "”“", Words(language, "provenance.between"))
		parts = append(parts, Words(language, "provenance."+name, quoted))
	}
	said := strings.Join(parts, Words(language, "comma"))
	if estimated {
		said += Words(language, "provenance.estimated")
	}
	return said
}
