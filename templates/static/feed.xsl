<?xml version="1.0" encoding="UTF-8"?>
<!-- Shows a feed in a browser: what a feed is, how to subscribe, and its articles. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/" exclude-result-prefixes="atom dc">
<xsl:output method="html" encoding="UTF-8" indent="no" doctype-system="about:legacy-compat"/>

<xsl:template match="/rss/channel">
<xsl:call-template name="page">
<xsl:with-param name="title" select="title"/>
<xsl:with-param name="about" select="description"/>
<xsl:with-param name="home" select="link"/>
<xsl:with-param name="self" select="atom:link[@rel='self']/@href"/>
<xsl:with-param name="older" select="atom:link[@rel='next']/@href"/>
<xsl:with-param name="current" select="atom:link[@rel='current']/@href"/>
</xsl:call-template>
</xsl:template>

<xsl:template match="/atom:feed">
<xsl:call-template name="page">
<xsl:with-param name="title" select="atom:title"/>
<xsl:with-param name="about" select="atom:subtitle"/>
<xsl:with-param name="home" select="atom:link[@rel='alternate']/@href"/>
<xsl:with-param name="self" select="atom:link[@rel='self']/@href"/>
<xsl:with-param name="older" select="atom:link[@rel='next']/@href"/>
<xsl:with-param name="current" select="atom:link[@rel='current']/@href"/>
</xsl:call-template>
</xsl:template>

<xsl:template name="page">
<xsl:param name="title"/><xsl:param name="about"/><xsl:param name="home"/><xsl:param name="self"/><xsl:param name="older"/><xsl:param name="current"/>
<html lang="zh-CN">
<head>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title><xsl:value-of select="$title"/> · 订阅源</title>
<link rel="icon" href="/static/{{favicon.svg}}" type="image/svg+xml"/>
<link rel="stylesheet" href="/static/{{style.css}}"/>
</head>
<body>
<header class="mast"><div class="wrap"><a class="brand" href="/">首页 Home</a></div></header>
<main id="main">
<h1 class="title"><xsl:value-of select="$title"/></h1>
<xsl:if test="$about != $title"><p class="intro"><xsl:value-of select="$about"/></p></xsl:if>
<section class="note">
<h2>这是一个订阅源</h2>
<p>它给阅读器看：把下面的地址复制到您的阅读器里，有新文章时阅读器会告诉您，不需要留下邮箱。没有阅读器？可以<a href="/subscribe">用邮件订阅周报</a>。</p>
<p lang="en">This is a feed. Copy its address into your feed reader, and the reader will tell you of new articles; nobody learns who you are.</p>
<p><code><xsl:value-of select="$self"/></code></p>
<p><a href="{$home}">网页版 Web page</a><xsl:if test="$current"> · <a href="{$current}">最新内容 Current feed</a></xsl:if></p>
</section>
<h2>内容 <span class="count"><xsl:value-of select="count(item | atom:entry)"/></span></h2>
<xsl:apply-templates select="item | atom:entry"/>
<xsl:if test="$older"><p class="pager"><a href="{$older}">更早的内容 Older</a></p></xsl:if>
</main>
</body>
</html>
</xsl:template>

<xsl:template match="item">
<article class="item">
<h3><a href="{link}"><xsl:value-of select="title"/></a></h3>
<p class="meta"><span><xsl:value-of select="concat(pubDate, dc:date)"/></span><span><xsl:value-of select="dc:creator"/></span><span><xsl:value-of select="source"/></span></p>
<p class="summary"><xsl:value-of select="description"/></p>
</article>
</xsl:template>

<xsl:template match="atom:entry">
<article class="item">
<h3><a href="{atom:link[@rel='alternate']/@href}"><xsl:value-of select="atom:title"/></a></h3>
<p class="meta"><span><xsl:value-of select="substring(concat(atom:published, atom:updated), 1, 10)"/></span><span><xsl:value-of select="atom:author/atom:name"/></span><span><xsl:value-of select="atom:source/atom:title"/></span></p>
<p class="summary"><xsl:value-of select="atom:summary"/></p>
</article>
</xsl:template>
</xsl:stylesheet>
