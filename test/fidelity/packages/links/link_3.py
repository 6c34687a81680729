import links.link_4
