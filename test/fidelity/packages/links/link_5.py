import links.link_6
