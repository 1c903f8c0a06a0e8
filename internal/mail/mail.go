// Package mail builds messages and sends them to a server.
//
// [Prepare] builds the part that all readers of a variant share once
// (jordan-wright/email behind a guard that refuses CR, LF and NUL in every
// header value); [Prepared.Append] inserts the parts of one reader. [Dial]
// opens a pipelining SMTP connection with a deadline on every read and write.
// This package does not decide what a reply means for a reader.
//
// Sources: RFC 5321, 5322, 2045-2047, 2369, 2920, 2919, 3207, 4954, 8058.
package mail
