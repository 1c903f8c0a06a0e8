package publish_test

import (
	"fmt"
	"io"
	"os"
	"time"

	"dibao/feed/publish"
)

// sample is a feed with one item.
func sample() publish.Feed {
	at := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	return publish.Feed{
		ID: publish.TagURI("policy.example", at, "feed/"), Title: "邸报", Link: "https://policy.example/", Language: "zh-CN",
		Self: "https://policy.example/feed", Updated: at, Now: at,
		Items: []publish.Item{{ID: publish.TagURI("policy.example", at, "article/1"), Link: "https://policy.example/articles/1", Title: "关于养老服务的通知", Published: at, Updated: at}},
	}
}

// A feed is written in each of the formats.
func ExampleFormat() {
	for _, f := range publish.Formats {
		if f.Name == "json" {
			if err := f.Write(os.Stdout, sample()); err != nil {
				fmt.Println(err)
			}
		}
	}
	// Output:
	// {
	//  "version": "https://jsonfeed.org/version/1.1",
	//  "title": "邸报",
	//  "language": "zh-CN",
	//  "home_page_url": "https://policy.example/",
	//  "feed_url": "https://policy.example/feed",
	//  "items": [
	//   {
	//    "id": "tag:policy.example,2026-11-20:article/1",
	//    "url": "https://policy.example/articles/1",
	//    "title": "关于养老服务的通知",
	//    "content_text": "关于养老服务的通知",
	//    "date_published": "2026-11-20T08:00:00Z",
	//    "date_modified": "2026-11-20T08:00:00Z"
	//   }
	//  ]
	// }
}

// A new format is a function that writes a feed, and a line in Formats.
func ExampleFormat_new() {
	titles := publish.Format{
		Name: "titles", Suffix: ".txt", MediaType: "text/plain; charset=utf-8",
		Write: func(w io.Writer, f publish.Feed) error {
			for _, it := range f.Items {
				if _, err := fmt.Fprintf(w, "%s\t%s\n", it.Title, it.Link); err != nil {
					return err
				}
			}
			return nil
		},
	}
	if err := titles.Write(os.Stdout, sample()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 关于养老服务的通知	https://policy.example/articles/1
}
