import links.link_1
