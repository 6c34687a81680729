import links.link_7
