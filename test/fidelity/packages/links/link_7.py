import links.link_8
