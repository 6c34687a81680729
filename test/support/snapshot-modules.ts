/** What snapshots of general tests have imported: much of the standard library, of which programs use what they like. */
export const SNAPSHOT_MODULES =
  'argparse, asyncio, atexit, collections, concurrent.futures, contextlib, csv, curses, dataclasses, datetime, decimal, functools, hashlib, io, itertools, json, locale, logging, multiprocessing, pathlib, pickle, pprint, queue, re, secrets, shutil, signal, sqlite3, string, subprocess, tempfile, textwrap, threading, time, traceback, typing, unittest, uuid, xml.etree.ElementTree, zlib, ctypes';
