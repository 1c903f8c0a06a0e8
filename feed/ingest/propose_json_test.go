package ingest

import "testing"

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
