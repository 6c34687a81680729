import links.link_2
