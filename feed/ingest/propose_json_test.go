package ingest

import (
	"strings"
	"testing"
)

func TestProposeJSON(t *testing.T) {
	t.Parallel()
	page := Page{URL: "http://www.sample.example/api", Body: []byte(`{"code":200,"menu":[{"name":"政务公开栏目","url":"/a/"}],"data":{"total":2,"rows":[
		{"id":1,"title":"样例市人民政府关于某事的通知","summary":"摘要文字，比题目长得多，但不是题目。","url":"/zc/1.html","createTime":"2024-11-01 08:00:00","publishTime":1732060800000},
		{"id":2,"title":"样例条例","summary":"又一段摘要文字。","url":"/zc/2.html","createTime":"2024-11-02 08:00:00","publishTime":1731974400000},
		{"id":3,"title":"关于第三件事项的公告","summary":"","url":"/zc/3.html","createTime":"2024-11-02 08:00:00","publishTime":1731974400000}]}}`)}
	set, err := ProposeJSON(page, Source{})
	if want := (Settings{Item: "data.rows[]", Link: "url", Title: "title", Date: "publishTime"}); err != nil || set != want {
		t.Fatalf("%+v, %v", set, err)
	}
	items, err := jsonReader{}.Read(page, Source{Settings: set})
	if err != nil || len(items) != 3 || items[0].Evidence.ListDate != "2024-11-20" || items[0].URL != "http://www.sample.example/zc/1.html" {
		t.Errorf("%+v, %v", items, err)
	}
	for _, body := range []string{`{"error":"no"}`, `[1,2,3]`, `{`, `[{"title":"只有一件事项","url":"/1"}]`} {
		if set, err := ProposeJSON(Page{Body: []byte(body)}, Source{}); err == nil {
			t.Errorf("%s: %+v", body, set)
		}
	}
}

// TestProposeJSONAddress checks that neither a picture nor part of an address counts as the
// address of an article, and that the key for a template is reported.
func TestProposeJSONAddress(t *testing.T) {
	t.Parallel()
	for key, row := range map[string]string{
		"contId":     `{"contId":"90%s","name":"关于印发样例行动方案的通知%s","sharePic":"https://p.sample.example/%s.png","pubTimeLong":1732060800000}`,
		"adjunctUrl": `{"secName":"样例","announcementTitle":"关于样例事项的公告%s","adjunctUrl":"finalpage/2026-11-27/12%s%s.PDF","announcementTime":1732060800000}`,
	} {
		rows := make([]string, 3)
		for i, n := range []string{"甲1", "乙2", "丙3"} {
			rows[i] = strings.ReplaceAll(row, "%s", n)
		}
		_, err := ProposeJSON(Page{URL: "http://www.sample.example/api", Body: []byte(`{"list":[` + strings.Join(rows, ",") + `]}`)}, Source{})
		if err == nil || !strings.Contains(err.Error(), "{"+key+"}") {
			t.Errorf("%s: %v", key, err)
		}
	}
}
