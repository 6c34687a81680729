import links.link_5
