import links.link_3
