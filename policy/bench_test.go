package policy

import (
	"testing"
	"time"
)

// BenchmarkUnderstand judges a notice of the length that feeds carry.
func BenchmarkNotice(b *testing.B) {
	at := time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC)
	e := Evidence{
		URL: "http://bench.example/1/2.html", Title: "样例市人民政府关于第1号第2件事项的通知", FeedPublished: &at,
		Paragraphs: []string{
			"样政发〔2026〕3号", "各县（市、区）人民政府，市政府各部门、各直属机构：",
			"一、总体要求。坚持以人民为中心，按照有关规定，结合本市实际，统筹推进各项工作，着力解决群众关心的问题，努力提高服务水平。",
			"二、主要任务。各部门要按照《样例市工作方案》（样政办发〔2025〕3号）的要求，明确责任分工，完善工作机制，确保各项措施落到实处。",
			"三、总体要求。坚持以人民为中心，按照有关规定，结合本市实际，统筹推进各项工作，着力解决群众关心的问题，努力提高服务水平。",
			"四、主要任务。各部门要按照《样例市工作方案》（样政办发〔2025〕3号）的要求，明确责任分工，完善工作机制，确保各项措施落到实处。",
			"本通知自2026年12月1日起施行，有效期五年。", "样例市人民政府", "2026年11月20日",
		},
	}
	for b.Loop() {
		Understand(e)
	}
}
